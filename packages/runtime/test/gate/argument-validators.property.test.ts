/** What was compiled ahead of a start judges every value as what a start would compile, and is that of no other schema. */
import { agentRun, builtinCapabilities, compiledAhead, mcpServerCapability } from "@femtoclaw/capabilities";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileSchemas } from "../../src/gate/schemas/argument-validators.ts";
import { schemaCompiler } from "../../src/gate/schemas/schema-compiler.ts";
import { capability } from "../runtime-fixture.ts";

/** All that a host registers and nobody else wrote. The executable has no compiler for one that is missing here. */
const OURS = [...builtinCapabilities, agentRun, mcpServerCapability({ name: "files", isSandboxed: false })];
const SCHEMAS = OURS.flatMap(({ manifest: { name, input, output } }) => [
  { side: `${name}, input`, schema: input },
  { side: `${name}, output`, schema: output },
]);

describe.each(SCHEMAS)("the schema of $side", ({ schema }) => {
  it("was compiled ahead, to what it would be compiled to", () => {
    const compiled = schemaCompiler()(schema);
    const ahead = compiledAhead(schema);
    const verdicts = new Set<boolean | undefined>();
    fc.assert(
      fc.property(valueLike(schema), (value) => {
        const verdict = ahead?.(value);
        verdicts.add(verdict);
        expect(verdict).toBe(compiled(value));
        const messages = (errors = ahead?.errors) =>
          errors?.map(({ instancePath, message }) => [instancePath, message]);
        expect(messages() ?? []).toEqual(messages(compiled.errors) ?? []);
      }),
      { numRuns: 2_000 },
    );
    expect(verdicts).toEqual(new Set([true, false]));
  });

  it("is another schema with one word more", () => {
    expect(compiledAhead({ ...schema, title: "another" })).toBeUndefined();
  });
});

describe("a capability under the name of a built-in one", () => {
  it("gets the validators of its own schema", () => {
    const builtin = builtinCapabilities[0]?.manifest;
    const own = capability(String(builtin?.name));
    const compiled = compileSchemas([own]).get(own.manifest.name);
    expect(compiledAhead(own.manifest.input)).toBeUndefined();
    const [theirs, ours] = [compiledAhead(builtin?.input ?? {}), compiled?.validators.input];
    expect([theirs?.({ path: "a" }), ours?.({ path: "a" })]).toEqual([true, false]);
  });
});

/** Values of which some fit: members that the schema knows, and others, with values of every kind. */
function valueLike(schema: object): fc.Arbitrary<unknown> {
  const { properties = {} } = schema as { properties?: Record<string, object> };
  const known = Object.fromEntries(Object.entries(properties).map(([name, member]) => [name, memberLike(member)]));
  const strict = Object.fromEntries(Object.entries(properties).map(([name, member]) => [name, fittingMember(member)]));
  // Some members exclude each other, so that only a value without one of them fits.
  const { required = [] } = schema as { required?: string[] };
  const fitting = fc.record(strict, { requiredKeys: required });
  const nearly = fc.record(known);
  const partly = fc.record(known, { requiredKeys: [] });
  const strange = fc.tuple(partly, fc.dictionary(fc.string(), fc.jsonValue())).map(([a, b]) => ({ ...b, ...a }));
  return fc.oneof(fitting, nearly, partly, strange, fc.jsonValue());
}

/** What the schema takes, so that no chance decides whether anything is taken at all. */
function fittingMember(member: object): fc.Arbitrary<unknown> {
  const fits = member as { type?: string | string[]; items?: object; enum?: unknown[]; minimum?: number };
  const { type, items, enum: words, minimum = 1 } = fits;
  if (words !== undefined) return fc.constantFrom(...words);
  switch (Array.isArray(type) ? type[0] : type) {
    case "string":
      return fc.constantFrom("a", "utf8");
    case "integer":
      return fc.constant(minimum);
    case "boolean":
      return fc.boolean();
    case "array":
      return fc.constant([]);
    default:
      return items === undefined ? fc.constant({}) : fc.constant([]);
  }
}

function memberLike(member: object): fc.Arbitrary<unknown> {
  const { type, items, enum: words } = member as { type?: string; items?: object; enum?: unknown[] };
  const fits: Record<string, fc.Arbitrary<unknown>> = {
    string: fc.oneof(fc.string({ maxLength: 40 }), fc.constantFrom("", "a", "/", "\u0000", "utf8", "x".repeat(5_000))),
    integer: fc.oneof(fc.integer(), fc.constantFrom(-1, 0, 1, 1.5, 2 ** 53)),
    boolean: fc.boolean(),
    array: fc.array(items === undefined ? fc.jsonValue() : memberLike(items), { maxLength: 4 }),
    object: fc.oneof(valueLike(member), fc.dictionary(fc.string(), fc.string())),
  };
  const fitting = words === undefined ? (fits[type ?? ""] ?? fc.jsonValue()) : fc.constantFrom(...words);
  return fc.oneof({ weight: 6, arbitrary: fitting }, { weight: 1, arbitrary: fc.jsonValue() });
}
