/**
 * Compiles the record's schema so that the type selects the check of the body by one look-up. The schema itself has a
 * condition for each type, and a validator would try all of them on every record that is written or read.
 */
import type { AnySchemaObject } from "ajv/dist/2020.js";

const TITLE = "JournalRecord";

/** Schema of a body, by the type of its record. */
export type BodySchemas = ReadonlyMap<string, string>;

/** All schemas, without those conditions of the record's schema that a look-up replaces. */
export function splitRecordSchema(schemas: readonly AnySchemaObject[]): {
  readonly compiled: AnySchemaObject[];
  readonly bodies: BodySchemas;
} {
  const bodies = new Map<string, string>();
  const compiled = schemas.map((schema) => {
    if (schema["title"] !== TITLE) return schema;
    const { allOf, ...envelope } = schema;
    const others = ((allOf ?? []) as Condition[]).filter((condition) => {
      const type = condition.if?.properties?.type?.const;
      const body = condition.then?.properties?.body?.$ref;
      // Conditions of any other form stay where they are.
      if (type === undefined || body === undefined || bodies.has(type) || !isTie(condition, type, body)) return true;
      bodies.set(type, `${schema.$id}${body}`);
      return false;
    });
    return others.length === 0 ? envelope : { ...envelope, allOf: others };
  });
  return { compiled, bodies };
}

interface Condition {
  readonly if?: { readonly properties?: { readonly type?: { readonly const?: string } } };
  readonly then?: { readonly properties?: { readonly body?: { readonly $ref?: string } } };
}

function isTie(condition: Condition, type: string, body: string): boolean {
  return (
    JSON.stringify(condition.if) === JSON.stringify({ properties: { type: { const: type } } }) &&
    JSON.stringify(condition.then) === JSON.stringify({ properties: { body: { $ref: body } } }) &&
    Object.keys(condition).length === 2
  );
}

/** `generate` returns code that exports validators by these names; this returns it with a complete `validateRecord`. */
export function recordValidator(
  bodies: BodySchemas,
  generate: (names: Readonly<Record<string, string>>) => string,
): string {
  const names = [...bodies].map(([type, schema], index) => ({ type, schema, name: `recordBody${index}` }));
  const code = generate(Object.fromEntries(names.map(({ name, schema }) => [name, schema])))
    .replaceAll("export const recordBody", "const recordBody")
    .replace("export const validateRecord", "const recordEnvelope");
  const table = names.map(({ type, name }) => `[${JSON.stringify(type)}, ${name}]`).join(", ");
  return `${code}
const recordBodies = new Map([${table}]);
export function validateRecord(record) {
  validateRecord.errors = null;
  if (!recordEnvelope(record)) validateRecord.errors = recordEnvelope.errors;
  else {
    const validateBody = recordBodies.get(record.type);
    if (validateBody === undefined || validateBody(record.body)) return true;
    // Validates again, so that errors name their place in the record.
    validateBody(record.body, { instancePath: "/body", parentData: record, parentDataProperty: "body", rootData: record });
    validateRecord.errors = validateBody.errors;
  }
  return false;
}
export function isRecordBody(type, body) {
  return recordBodies.get(type)?.(body) === true;
}
`;
}
