/** Marks in the schemas of capabilities, in every place that a schema has for them. */
import { describe, expect, it } from "vitest";
import { secretFinder } from "../../src/sealing/schema-secrets.ts";

const SECRET = { type: "string", "x-secret": true };
const places = (schema: object, value: unknown): string[] =>
  secretFinder(schema as Record<string, unknown>)(value, "/args").map(({ path }) => path);

describe("secretFinder", () => {
  it.each<[string, object, unknown, string[]]>([
    ["a property", { properties: { key: SECRET } }, { key: "k", other: "o" }, ["/args/key"]],
    ["a property of another type", { properties: { key: SECRET } }, { key: { a: 1 } }, ["/args/key"]],
    ["a pattern", { patternProperties: { "^x-": SECRET } }, { "x-a": "1", y: "2" }, ["/args/x-a"]],
    ["any further property", { additionalProperties: SECRET }, { "a/b~c": "1" }, ["/args/a~1b~0c"]],
    ["items", { properties: { list: { items: SECRET } } }, { list: ["a", "b"] }, ["/args/list/0", "/args/list/1"]],
    ["a place in a list", { prefixItems: [{}, SECRET] }, ["a", "b", "c"], ["/args/1"]],
    [
      "a branch that does not apply",
      { anyOf: [{ type: "null" }, { properties: { k: SECRET } }] },
      { k: 1 },
      ["/args/k"],
    ],
    ["a condition", { if: {}, else: { properties: { k: SECRET } } }, { k: 1 }, ["/args/k"]],
    ["a dependency", { dependentSchemas: { a: { properties: { k: SECRET } } } }, { k: 1 }, ["/args/k"]],
    ["a reference", { $defs: { s: SECRET }, properties: { k: { $ref: "#/$defs/s" } } }, { k: 1 }, ["/args/k"]],
    ["the whole", SECRET, "x", ["/args"]],
  ])("finds a mark on %s", (_, schema, value, expected) => expect(places(schema, value)).toEqual(expected));

  it("ends for a schema that refers to itself", () => {
    const schema = {
      $defs: { tree: { properties: { key: SECRET, next: { $ref: "#/$defs/tree" } } } },
      $ref: "#/$defs/tree",
    };
    expect(places(schema, { key: 1, next: { next: { key: 2 } } })).toEqual(["/args/key", "/args/next/next/key"]);
    const loop = {
      $defs: { a: { $ref: "#/$defs/b" }, b: { anyOf: [{ $ref: "#/$defs/a" }, SECRET] } },
      $ref: "#/$defs/a",
    };
    expect(places(loop, "x")).toEqual(["/args"]);
  });

  it("lets well-known variables and headers stand, and takes out every other", () => {
    const schema = { properties: { env: { "x-secret": "environment" }, headers: { "x-secret": "headers" } } };
    const value = { env: { LANG: "C", LC_ALL: "C", MY_VAR: "v" }, headers: { Accept: "*", Cookie: "c", "X-Api": "k" } };
    expect(places(schema, value)).toEqual(["/args/env/MY_VAR", "/args/headers/Cookie", "/args/headers/X-Api"]);
    expect(places(schema, { env: "K=v" })).toEqual(["/args/env"]);
  });

  it.each([
    ["behind a keyword that is not followed", { $dynamicRef: "#x", $defs: { x: SECRET } }],
    ["of an unknown kind", { properties: { a: { "x-secret": "cookies" } } }],
    ["that is false", { properties: { a: { "x-secret": false } } }],
  ])("refuses a mark %s", (_, schema) => {
    expect(() => secretFinder(schema)).toThrow(expect.objectContaining({ code: "FEMTO_CONFIG_INVALID" }));
  });

  it("has nothing to do for a schema without marks", () =>
    expect(places({ properties: { a: {} } }, { a: 1 })).toEqual([]));
});
