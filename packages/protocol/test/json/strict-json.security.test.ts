/** Texts that two parsers could read in two ways, or that cost more than they are worth, are refused by name. */
import { describe, expect, it } from "vitest";
import { type ErrorCode, LIMITS, parseStrictJson } from "../../src/index.ts";
import type { JsonLimits } from "../../src/json/strict-json.ts";

const read = (text: string | Uint8Array, limits?: JsonLimits) =>
  parseStrictJson(typeof text === "string" ? Buffer.from(text) : text, limits);

const codeOf = (text: string | Uint8Array, limits?: JsonLimits): ErrorCode | "read" => {
  const result = read(text, limits);
  return result.ok ? "read" : result.fault.code;
};

const nested = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);
const nestedObjects = (levels: number): string => `${'{"a":'.repeat(levels)}0${"}".repeat(levels)}`;

const REFUSED: readonly (readonly [what: string, code: ErrorCode, text: string | Uint8Array])[] = [
  ["nothing", "FEMTO_PROTOCOL_SYNTAX", ""],
  ["white space alone", "FEMTO_PROTOCOL_SYNTAX", " \n"],
  ["white space that JSON does not know", "FEMTO_PROTOCOL_SYNTAX", "\u00a0{}"],
  ["a form feed between values", "FEMTO_PROTOCOL_SYNTAX", "[1,\f2]"],
  ["text after the value", "FEMTO_PROTOCOL_SYNTAX", "{} {}"],
  ["a NUL after the value", "FEMTO_PROTOCOL_SYNTAX", "{}\0"],
  ["a comment", "FEMTO_PROTOCOL_SYNTAX", "{/* */}"],
  ["a trailing comma in an object", "FEMTO_PROTOCOL_SYNTAX", '{"a":1,}'],
  ["a trailing comma in an array", "FEMTO_PROTOCOL_SYNTAX", "[1,]"],
  ["an empty place in an array", "FEMTO_PROTOCOL_SYNTAX", "[1,,2]"],
  ["a key without quotes", "FEMTO_PROTOCOL_SYNTAX", "{a:1}"],
  ["a key that is a number", "FEMTO_PROTOCOL_SYNTAX", "{1:1}"],
  ["single quotes", "FEMTO_PROTOCOL_SYNTAX", "{'a':1}"],
  ["a missing colon", "FEMTO_PROTOCOL_SYNTAX", '{"a" 1}'],
  ["a missing value", "FEMTO_PROTOCOL_SYNTAX", '{"a":}'],
  ["an object that does not close", "FEMTO_PROTOCOL_SYNTAX", '{"a":1'],
  ["an array that closes as an object", "FEMTO_PROTOCOL_SYNTAX", "[1}"],
  ["a string that does not close", "FEMTO_PROTOCOL_SYNTAX", '"abc'],
  ["a string that ends in an escape", "FEMTO_PROTOCOL_SYNTAX", '"abc\\'],
  ["a bare line feed in a string", "FEMTO_PROTOCOL_SYNTAX", '"a\nb"'],
  ["a bare NUL in a string", "FEMTO_PROTOCOL_SYNTAX", '"a\0b"'],
  ["a bare escape character in a string", "FEMTO_PROTOCOL_SYNTAX", '"\u001b[31m"'],
  ["an unknown escape", "FEMTO_PROTOCOL_SYNTAX", '"\\x41"'],
  ["an escape in capitals", "FEMTO_PROTOCOL_SYNTAX", '"\\N"'],
  ["an escape with braces", "FEMTO_PROTOCOL_SYNTAX", '"\\u{41}"'],
  ["a short escape", "FEMTO_PROTOCOL_SYNTAX", '"\\u41"'],
  ["an escape with a sign", "FEMTO_PROTOCOL_SYNTAX", '"\\u+041"'],
  ["an escape with a space", "FEMTO_PROTOCOL_SYNTAX", '"\\u 041"'],
  ["a capital literal", "FEMTO_PROTOCOL_SYNTAX", "True"],
  ["half a literal", "FEMTO_PROTOCOL_SYNTAX", "tru"],
  ["a literal with a tail", "FEMTO_PROTOCOL_SYNTAX", "nullx"],
  ["undefined", "FEMTO_PROTOCOL_SYNTAX", "undefined"],
  ["NaN", "FEMTO_PROTOCOL_SYNTAX", "NaN"],
  ["Infinity", "FEMTO_PROTOCOL_SYNTAX", "-Infinity"],
  ["a number with a plus", "FEMTO_PROTOCOL_SYNTAX", "+1"],
  ["a number with a leading zero", "FEMTO_PROTOCOL_SYNTAX", "01"],
  ["a number in hexadecimal", "FEMTO_PROTOCOL_SYNTAX", "0x10"],
  ["a number that begins with a point", "FEMTO_PROTOCOL_SYNTAX", ".5"],
  ["a number that ends in a point", "FEMTO_PROTOCOL_SYNTAX", "1."],
  ["an exponent without digits", "FEMTO_PROTOCOL_SYNTAX", "1e"],
  ["a minus alone", "FEMTO_PROTOCOL_SYNTAX", "-"],
  ["digits of another script", "FEMTO_PROTOCOL_SYNTAX", "١"],

  ["an infinite number", "FEMTO_PROTOCOL_NUMBER", "1e400"],
  ["a number that would become zero", "FEMTO_PROTOCOL_NUMBER", "1e-400"],
  ["a negative number that would become zero", "FEMTO_PROTOCOL_NUMBER", "-1e-400"],
  ["a long number that would become zero", "FEMTO_PROTOCOL_NUMBER", `-0.${"0".repeat(330)}1`],
  ["a negative infinite number", "FEMTO_PROTOCOL_NUMBER", "-1e400"],
  ["2^53", "FEMTO_PROTOCOL_NUMBER", "9007199254740992"],
  ["-2^53", "FEMTO_PROTOCOL_NUMBER", "-9007199254740992"],
  ["2^53+1", "FEMTO_PROTOCOL_NUMBER", "9007199254740993"],
  ["2^53 with a fraction", "FEMTO_PROTOCOL_NUMBER", "9007199254740993.0"],
  ["2^53 with an exponent", "FEMTO_PROTOCOL_NUMBER", "9007199254740992e0"],
  ["a large power of ten", "FEMTO_PROTOCOL_NUMBER", "1e20"],
  ["a thousand digits", "FEMTO_PROTOCOL_NUMBER", "9".repeat(1_000)],

  ["a key twice", "FEMTO_PROTOCOL_DUPLICATE_KEY", '{"a":1,"a":2}'],
  ["a key twice, once escaped", "FEMTO_PROTOCOL_DUPLICATE_KEY", '{"a":1,"\\u0061":2}'],
  ["a key twice, escaped in two ways", "FEMTO_PROTOCOL_DUPLICATE_KEY", '{"/":1,"\\/":2}'],
  ["a key twice, with hexadecimal digits in two cases", "FEMTO_PROTOCOL_DUPLICATE_KEY", '{"\\u00AF":1,"\\u00af":2}'],
  ["a key twice with the same value", "FEMTO_PROTOCOL_DUPLICATE_KEY", '{"a":1,"b":2,"a":1}'],
  ["a key twice, deep inside", "FEMTO_PROTOCOL_DUPLICATE_KEY", '[{"x":{"a":1,"a":2}}]'],
  ["an empty key twice", "FEMTO_PROTOCOL_DUPLICATE_KEY", '{"":1,"":2}'],
  ["a key twice beyond the basic plane", "FEMTO_PROTOCOL_DUPLICATE_KEY", '{"😀":1,"\\ud83d\\ude00":2}'],

  ["a key that would be the prototype", "FEMTO_PROTOCOL_SHAPE", '{"__proto__":{"admin":true}}'],
  ["the same key, escaped", "FEMTO_PROTOCOL_SHAPE", '{"\\u005f_proto__":{"admin":true}}'],

  ["an escaped high surrogate alone", "FEMTO_PROTOCOL_TEXT", '"\\ud800"'],
  ["an escaped low surrogate alone", "FEMTO_PROTOCOL_TEXT", '"\\udc00"'],
  ["surrogates in the wrong order", "FEMTO_PROTOCOL_TEXT", '"\\ude00\\ud83d"'],
  ["a high surrogate before a letter", "FEMTO_PROTOCOL_TEXT", '"\\ud83dA"'],
  ["a lone surrogate in a key", "FEMTO_PROTOCOL_TEXT", '{"\\ud800":1}'],

  ["bytes of another encoding", "FEMTO_PROTOCOL_NOT_UTF8", Buffer.from([0x22, 0xe4, 0x22])],
  ["a raw surrogate in UTF-8", "FEMTO_PROTOCOL_NOT_UTF8", Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
  ["a slash spelled too long", "FEMTO_PROTOCOL_NOT_UTF8", Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
  ["a code point beyond the last", "FEMTO_PROTOCOL_NOT_UTF8", Buffer.from([0x22, 0xf4, 0x90, 0x80, 0x80, 0x22])],
  ["a character cut short", "FEMTO_PROTOCOL_NOT_UTF8", Buffer.from([0x22, 0xe2, 0x82])],
  ["UTF-16", "FEMTO_PROTOCOL_NOT_UTF8", Buffer.from([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00])],
  ["a byte order mark", "FEMTO_PROTOCOL_NOT_UTF8", Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0x7d])],

  ["arrays below the deepest level", "FEMTO_PROTOCOL_TOO_DEEP", nested(LIMITS.jsonDepth + 1)],
  ["objects below the deepest level", "FEMTO_PROTOCOL_TOO_DEEP", nestedObjects(LIMITS.jsonDepth + 1)],
  ["a tower of arrays", "FEMTO_PROTOCOL_TOO_DEEP", "[".repeat(1_000_000)],
  ["more values than are taken", "FEMTO_PROTOCOL_TOO_LARGE", `[${"0,".repeat(LIMITS.jsonNodes)}0]`],
  ["one byte more than is taken", "FEMTO_PROTOCOL_TOO_LARGE", `"${"a".repeat(LIMITS.messageBytes - 1)}"`],
];

describe("the strict parser", () => {
  it.each(REFUSED)("refuses %s (%s)", (_what, code, text) => {
    expect(codeOf(text)).toBe(code);
  });

  it("takes what lies exactly at its limits", () => {
    expect(codeOf(nested(LIMITS.jsonDepth))).toBe("read");
    expect(codeOf(nestedObjects(LIMITS.jsonDepth))).toBe("read");
    expect(codeOf(`[${"0,".repeat(LIMITS.jsonNodes - 2)}0]`)).toBe("read");
    expect(codeOf(`"${"a".repeat(LIMITS.messageBytes - 2)}"`)).toBe("read");
    expect(read("[9007199254740991,-9007199254740991,1e15,1E-2,-0.5]")).toEqual({
      ok: true,
      value: [9007199254740991, -9007199254740991, 1e15, 0.01, -0.5],
    });
  });

  it("reads a zero with a sign as the zero that will be recorded", () => {
    for (const text of ["-0", "-0.0", "-0e5", "-0e-400"]) {
      expect(read(text), text).toEqual({ ok: true, value: 0 });
    }
  });

  it("reads names of the prototype as the plain keys that they are", () => {
    const result = read('{"constructor":1,"toString":2,"hasOwnProperty":3,"prototype":4}');
    expect(result).toEqual({ ok: true, value: { constructor: 1, toString: 2, hasOwnProperty: 3, prototype: 4 } });
    expect(({} as Record<string, unknown>)["admin"]).toBeUndefined();
  });

  it("takes every escape that JSON has, and characters that only look dangerous", () => {
    expect(read('"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\ud83d\\ude00"')).toEqual({ ok: true, value: '"\\/\b\f\n\r\tA😀' });
    expect(read('"\u2028\u2029\u007f\ufeff\uffff"')).toEqual({ ok: true, value: "\u2028\u2029\u007f\ufeff\uffff" });
  });

  it("says where the fault lies", () => {
    expect(read('{"a":[1,{"b/c~d":tru}]}')).toMatchObject({
      ok: false,
      fault: { pointer: "/a/1/b~1c~0d", offset: 17 },
    });
    expect(read('{"a":"\\n\\"\\x"}')).toMatchObject({ ok: false, fault: { pointer: "/a", offset: 10 } });
    expect(read('{"a":"\\n \n"}')).toMatchObject({ ok: false, fault: { pointer: "/a", offset: 9 } });
    expect(read('{"a":"\\\\\\"}')).toMatchObject({ ok: false, fault: { pointer: "/a", offset: 11 } });
  });

  it("keeps a hostile key out of its reasons but for a capped, visible head", () => {
    const key = `\u001b[2J\u202e${"k".repeat(400_000)}`;
    const result = read(`{${JSON.stringify(key)}:1,${JSON.stringify(key)}:2}`);
    expect(result).toMatchObject({ ok: false, fault: { code: "FEMTO_PROTOCOL_DUPLICATE_KEY" } });
    if (result.ok) return;
    expect(result.fault.reason.length).toBeLessThan(400);
    expect(result.fault.reason).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it("takes limits from its caller", () => {
    const limits = { bytes: 10, depth: 1, nodes: 3 };
    expect(codeOf("[1,2]", limits)).toBe("read");
    expect(codeOf("[1,2,3]", limits)).toBe("FEMTO_PROTOCOL_TOO_LARGE");
    expect(codeOf("[[]]", limits)).toBe("FEMTO_PROTOCOL_TOO_DEEP");
    expect(codeOf("[         ]", limits)).toBe("FEMTO_PROTOCOL_TOO_LARGE");
  });
});
