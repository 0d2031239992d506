/**
 * "Null or something else" in the form that costs a validator least: with the schemas' `oneOf` it tries both and
 * keeps what it found against null until the other one has passed, on every record.
 */
import type { AnySchemaObject } from "ajv/dist/2020.js";

/** An equal schema, as long as nothing beside null is null. */
export function withNullFirst(schema: AnySchemaObject): AnySchemaObject {
  return rewritten(schema) as AnySchemaObject;
}

function rewritten(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(rewritten);
  if (typeof part !== "object" || part === null) return part;
  const { oneOf, ...others } = Object.fromEntries(Object.entries(part).map(([key, value]) => [key, rewritten(value)]));
  if (oneOf === undefined) return others;
  const [first, other, ...more] = oneOf as (AnySchemaObject | undefined)[];
  if (JSON.stringify(first) !== '{"type":"null"}' || other === undefined || more.length > 0)
    return { ...others, oneOf };
  const type = other["type"] as unknown;
  if (Object.keys(other).length === 1 && typeof type === "string") return { ...others, type: ["null", type] };
  return { ...others, if: { type: "null" }, else: other };
}
