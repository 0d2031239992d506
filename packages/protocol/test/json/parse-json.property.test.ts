/** JSON is read as it is written, whatever was read before it; V8 itself takes some keys for earlier ones. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type JsonValue, parseJson } from "../../src/index.ts";

/** Few characters, so that many keys begin alike: those that need an escape, those of escapes, and the private one. */
const key = fc.string({ unit: fc.constantFrom('"', "\\", "\n", "\u0001", "n", "0", "\ue000", "\ud800"), maxLength: 4 });
const value = fc.letrec<{ value: JsonValue; object: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<JsonValue>(null, true, 0, -1.5e300, 2 ** 60, "\\n", '":"'),
    fc.array(tie("value"), { maxLength: 4 }),
    tie("object"),
  ),
  object: fc.dictionary(fc.oneof(key, fc.constantFrom("__proto__", "a", "1")), tie("value"), { maxKeys: 4 }),
})).value;

/** Keys of raw texts in which the first one is what V8 gave instead of the second one. */
const CONFUSED = [
  ["\\\\", "\\n"],
  ["\\\\", '\\"'],
  ["\\\\", "\\u0041"],
  ["ab\\\\", "ab\\n"],
  ["\\\\\\\\", "\\\\n"],
] as const;

const keysOf = (text: string): string[] => Object.keys((parseJson(text) as object[])[0] ?? {});

describe("parseJson", () => {
  it.each(CONFUSED)("reads the key %s as it is, and then the key %s", (first, second) => {
    for (const raw of [first, second, first, second]) {
      expect(keysOf(`[{"e":1,"${raw}":""}]`)).toEqual(["e", JSON.parse(`"${raw}"`)]);
    }
  });

  it("reads what was written, whatever was read before", () => {
    fc.assert(
      fc.property(value, (written) => {
        const text = JSON.stringify(written);
        expect(JSON.stringify(parseJson(text))).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });

  it("reads keys that are escaped without need, with white space behind them", () => {
    expect(parseJson('{"\\u0061" \t\r\n: 1, "\\/":"\\u0061"}')).toEqual({ a: 1, "/": "a" });
  });

  it("takes the last of several members with one key, as JSON.parse does", () => {
    expect(parseJson('{"\\n":1,"b":2,"\\u000A":3}')).toEqual({ "\n": 3, b: 2 });
    expect(parseJson('{"a":1,"\\u0061":2}')).toEqual({ a: 2 });
  });

  it("keeps a key that changes no prototype", () => {
    const read = parseJson('{"\\u005f_proto__":{"admin":true},"\\n":1}') as object;
    expect(Object.hasOwn(read, "__proto__")).toBe(true);
    expect("admin" in read).toBe(false);
  });

  it("reads what is nested deeper than the stack", () => {
    let read = parseJson(`${'{"\\n":'.repeat(100_000)}1${"}".repeat(100_000)}`);
    let levels = 0;
    for (; typeof read === "object" && read !== null; levels += 1) read = (read as { readonly "\n": unknown })["\n"];
    expect([levels, read]).toEqual([100_000, 1]);
  });

  it("refuses what is no JSON", () => {
    const texts = [
      '{"\\n":',
      '{"\\x":1}',
      '{"\\n',
      '["\\n":1]',
      '{"\\n":1}"',
      '{"a\u0001\\n":1}',
      '\\"{}',
      "",
      '{"\\":1}',
    ];
    for (const text of texts) expect(() => parseJson(text), text).toThrow(SyntaxError);
  });

  it("reads a long hostile text in one pass", () => {
    const quotes = `{"\\n":"${'\\\\\\"'.repeat(500_000)}"}`;
    expect(parseJson(quotes)).toEqual({ "\n": '\\"'.repeat(500_000) });
    const many = `{${Array.from({ length: 100_000 }, (_, index) => `"\\n${index}":0`).join()}}`;
    expect(Object.keys(parseJson(many) as object)).toHaveLength(100_000);
    expect(() => parseJson('"\\'.repeat(500_000))).toThrow(SyntaxError);
  });
});
