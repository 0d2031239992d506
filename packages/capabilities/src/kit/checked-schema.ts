/**
 * Whether everything that a stranger's schema demands is checked here. It is interpreted in bounded time, as those of MCP
 * servers are, and what the interpreter does not know it would let pass. Pure.
 */

import { printable } from "@femtoclaw/protocol";
import type { JsonObject } from "../capability.ts";
import { schemaProblem } from "../mcp/argument-check.ts";
import { boundedPattern } from "../mcp/bounded-pattern.ts";
import { areSlowToCompile } from "../mcp/pattern-cost.ts";

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
  if (areSlowToCompile(schema)) return `the patterns of its ${side} schema together take too long to compile`;
  const unchecked = uncheckedBelow(schema);
  return unchecked === null ? null : `its ${side} schema uses ${unchecked}, which is not checked here`;
}

function uncheckedBelow(schema: unknown): string | null {
  if (typeof schema !== "object" || schema === null) return null;
  for (const [keyword, value] of Object.entries(schema)) {
    const unchecked = uncheckedValue(keyword, value);
    if (unchecked !== null) return unchecked;
    const inner = innerSchemas(keyword, value);
    if (inner === null) return `\`${keyword}\``;
    for (const one of inner) {
      const found = uncheckedBelow(one);
      if (found !== null) return found;
    }
  }
  return null;
}

/** What the interpreter lets pass though it knows the keyword. */
function uncheckedValue(keyword: string, value: unknown): string | null {
  if (keyword === "pattern" && (typeof value !== "string" || boundedPattern(value) === null)) {
    return `the pattern \`${printable(typeof value === "string" ? value : JSON.stringify(value), 300)}\``;
  }
  if (keyword !== "multipleOf" || Number.isInteger(value)) return null;
  return `the \`multipleOf\` ${printable(JSON.stringify(value), 64)}`;
}

/** Null for a keyword that is not known. */
function innerSchemas(keyword: string, value: unknown): readonly unknown[] | null {
  if (CHECKED.has(keyword)) return [];
  if (SCHEMAS.has(keyword)) return [value];
  if (LISTS.has(keyword)) return Array.isArray(value) ? value : [];
  return TABLES.has(keyword) ? Object.values(Object(value) as object) : null;
}
