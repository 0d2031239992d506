/**
 * Whether everything that a stranger's schema demands is checked here. It is interpreted in bounded time, as those of MCP
 * servers are, and what the interpreter does not know it would let pass. Pure.
 */
import type { JsonObject } from "../capability.ts";
import { schemaProblem } from "../mcp/argument-check.ts";

const SCHEMAS = new Set(["not", "if", "then", "else", "items", "additionalProperties"]);
const LISTS = new Set(["allOf", "anyOf", "oneOf", "prefixItems"]);
const TABLES = new Set(["properties", "$defs"]);
const CHECKED = new Set([
  ...["$ref", "type", "enum", "const", "required", "minLength", "maxLength", "pattern"],
  ...["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
  ...["minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"],
  // What demands nothing.
  ...["title", "description", "default", "examples", "$comment", "deprecated", "x-secret"],
]);

/** Why no value can be held to the schema; null where all of it is checked. Its depth and size are bounded already. */
export function uncheckedIn(schema: JsonObject, side: "input" | "output"): string | null {
  const problem = schemaProblem(schema)?.replace("input schema", `${side} schema`) ?? null;
  if (problem !== null) return problem;
  const unknown = unknownKeyword(schema);
  return unknown === null ? null : `its ${side} schema uses \`${unknown}\`, which is not checked here`;
}

function unknownKeyword(schema: unknown): string | null {
  if (typeof schema !== "object" || schema === null) return null;
  for (const [keyword, value] of Object.entries(schema)) {
    const inner = innerSchemas(keyword, value);
    if (inner === null) return keyword;
    for (const one of inner) {
      const found = unknownKeyword(one);
      if (found !== null) return found;
    }
  }
  return null;
}

/** Null for a keyword that is not known. */
function innerSchemas(keyword: string, value: unknown): readonly unknown[] | null {
  if (CHECKED.has(keyword)) return [];
  if (SCHEMAS.has(keyword)) return [value];
  if (LISTS.has(keyword)) return Array.isArray(value) ? value : [];
  return TABLES.has(keyword) ? Object.values(Object(value) as object) : null;
}
