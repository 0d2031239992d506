/** The compiled check of records is the record's schema, though it looks the body's schema up by the type. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020, type AnySchemaObject } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isRecordBody, validateRecord } from "../../src/index.ts";

const FOLDER = join(import.meta.dirname, "../../../../schemas");
const schemas = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".schema.json"))
  .map((name) => JSON.parse(readFileSync(join(FOLDER, name), "utf8")) as AnySchemaObject);
const ajv = new Ajv2020({ schemas, strict: true, strictRequired: false });
const RECORD = "https://femtoclaw.dev/schemas/record.schema.json";
const bySchema = ajv.getSchema(RECORD);
const record = schemas.find(({ $id }) => $id === RECORD) ?? {};

const resolved = (schema: AnySchemaObject, base: AnySchemaObject): [AnySchemaObject, AnySchemaObject] => {
  const reference = schema["$ref"] as string | undefined;
  if (reference === undefined) return [schema, base];
  const [file = "", pointer = ""] = reference.split("#");
  const document = file === "" ? base : (schemas.find(({ $id }) => $id?.endsWith(`/${file}`)) ?? {});
  const found = pointer
    .split("/")
    .slice(1)
    .reduce((at, name) => at[name] as AnySchemaObject, document);
  return resolved(found, document);
};

const SAMPLES = [
  "0".repeat(64),
  `${"A".repeat(43)}=`,
  `femtoclaw.local/${"0".repeat(32)}`,
  "FEMTO_CODE",
  "/a/b",
  "8.1764126000.42",
  "2026-03-01T00:00:00Z",
  `00-${"1".repeat(32)}-${"2".repeat(16)}-01`,
];

/** Values that a schema allows; for each pattern one of the samples fits. */
function allowed(unresolved: AnySchemaObject, from: AnySchemaObject, depth = 0): fc.Arbitrary<unknown> {
  const [schema, base] = resolved(unresolved, from);
  const choices = (schema["oneOf"] ?? schema["anyOf"]) as AnySchemaObject[] | undefined;
  if (choices !== undefined) return fc.oneof(...choices.map((choice) => allowed(choice, base, depth)));
  if ("const" in schema) return fc.constant(schema["const"]);
  if ("enum" in schema) return fc.constantFrom(...(schema["enum"] as unknown[]));
  if (schema["type"] === "object") {
    const required = new Set((schema["required"] ?? []) as string[]);
    const properties = Object.entries((schema["properties"] ?? {}) as Record<string, AnySchemaObject>);
    const keys = properties.filter(([name]) => required.has(name) || depth < 4);
    return fc.record(Object.fromEntries(keys.map(([name, part]) => [name, allowed(part, base, depth + 1)])), {
      requiredKeys: [...required],
    });
  }
  if (schema["type"] === "array") {
    return fc.array(allowed((schema["items"] ?? {}) as AnySchemaObject, base, depth + 1), {
      minLength: 1,
      maxLength: 2,
    });
  }
  if (schema["type"] === "integer") {
    const { minimum: min = 0, maximum: max = 2 ** 31 - 1 } = schema as { minimum?: number; maximum?: number };
    return fc.integer({ min, max });
  }
  if (schema["type"] === "boolean") return fc.boolean();
  if (schema["type"] === "null") return fc.constant(null);
  const pattern = schema["pattern"] as string | undefined;
  if (pattern === undefined) return fc.string({ minLength: 1, maxLength: 64 });
  return fc.constantFrom(...SAMPLES.filter((sample) => new RegExp(pattern, "u").test(sample)));
}

const { allOf: conditions, ...envelope } = record;
const types = (record["properties"] as { type: { enum: string[] } }).type.enum;
const bodies = new Map(
  (conditions as { if: { properties: { type: { const: string } } }; then: AnySchemaObject }[]).map((condition) => [
    condition.if.properties.type.const,
    (condition.then["properties"] as { body: AnySchemaObject }).body,
  ]),
);

/** What an object gets in the place of one of its parts. */
const spoiled = (value: unknown, choice: number, by: unknown): unknown => {
  if (typeof value !== "object" || value === null) return by;
  const keys = Object.keys(value);
  const key = keys[choice % (keys.length + 1)];
  if (key === undefined) return { ...value, unknown: by };
  const part = (value as Record<string, unknown>)[key];
  return { ...value, [key]: choice % 3 === 0 ? by : spoiled(part, Math.floor(choice / 3), by) };
};

describe("validateRecord", () => {
  it("has the body of every type", () => expect([...bodies.keys()].toSorted()).toEqual(types.toSorted()));

  it.each(types)("takes and refuses what the schema takes and refuses: %s", (type) => {
    const value = fc
      .tuple(allowed(envelope, record), allowed(bodies.get(type) ?? {}, record), fc.boolean())
      .map(([frame, body, strange]) => ({ ...(frame as object), type, body: strange ? {} : body }));
    let valid = 0;
    const property = fc.property(value, fc.boolean(), fc.nat(), fc.jsonValue(), (honest, spoil, choice, by) => {
      const candidate = spoil ? spoiled(honest, choice, by) : honest;
      const expected = bySchema?.(candidate) === true;
      const found = validateRecord(candidate);
      expect(found).toBe(expected);
      if (found) valid += 1;
      else expect(validateRecord.errors?.length).toBeGreaterThan(0);
      // A body alone decides, where all around it was found to be right with another one.
      const framed = { ...honest, body: (candidate as { readonly body?: unknown }).body };
      if (bySchema?.(honest) === true) expect(isRecordBody(type, framed.body)).toBe(bySchema(framed) === true);
    });
    fc.assert(property, { numRuns: 300 });
    expect(valid).toBeGreaterThan(0);
  });

  it("names the place in the record, and forgets what it found when the next one is right", () => {
    const frame = fc.sample(allowed(envelope, record), { numRuns: 1, seed: 1 })[0] as object;
    const right = { ...frame, type: "message.recorded", session: null, body: { content: "" } };
    const wrong = { ...right, body: { content: 1 } };
    expect(validateRecord(wrong)).toBe(false);
    const places = validateRecord.errors?.map(({ instancePath }) => instancePath);
    expect(new Set(places)).toEqual(new Set(["/body/content"]));
    expect(validateRecord({ ...wrong, session: 1 })).toBe(false);
    expect(validateRecord(right)).toBe(true);
    expect(validateRecord.errors).toBeNull();
  });
});
