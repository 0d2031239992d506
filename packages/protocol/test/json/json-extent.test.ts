/** What a JSON text holds, found without parsing it. */
import { expect, test } from "vitest";
import { isJsonWithin } from "../../src/json/json-extent.ts";

test.each([
  ['{"a":[1,{"b":2}]}', 3, 4],
  ["[]", 1, 1],
  ["7", 0, 0],
  ['"[[[,,,"', 0, 0],
  ['["\\"[[[", "\\\\", []]', 2, 4],
  ["[[],[],[]]", 2, 6],
  ['["never closed [[[', 1, 1],
  ["]]]][", 0, 1],
])("%s nests %i deep, and holds up to %i values", (text, depth, values) => {
  expect(isJsonWithin(text, { depth, values })).toBe(true);
  expect(isJsonWithin(text, { depth })).toBe(true);
  if (depth > 0) expect(isJsonWithin(text, { depth: depth - 1 })).toBe(false);
  if (values > 0) expect(isJsonWithin(text, { depth, values: values - 1 })).toBe(false);
});
