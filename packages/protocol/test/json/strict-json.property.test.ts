/** What JSON says without doubt is read as `JSON.parse` reads it, and nothing that is fed in makes the parser throw. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type JsonValue, parseStrictJson } from "../../src/index.ts";

const RUNS = { numRuns: 1_500 };
const read = (text: string) => parseStrictJson(Buffer.from(text));

/** A zero with a sign is the one thing that is read otherwise, as a zero; written out, both are the same. */
const same = (left: JsonValue, right: JsonValue): boolean => JSON.stringify(left) === JSON.stringify(right);

const wellFormed = fc.string({ unit: "binary" });
const number = fc.oneof(
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -(2 ** 53 - 1), max: 2 ** 53 - 1 }),
);
const value = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    number,
    wellFormed,
    fc.array(tie("value"), { maxLength: 5 }),
    fc.dictionary(
      wellFormed.filter((key) => key !== "__proto__"),
      tie("value"),
      { maxKeys: 5, noNullPrototype: true },
    ),
  ),
})).value;

/** The same value with white space and escapes wherever they may stand. */
function respelled(written: JsonValue, pick: () => number): string {
  const space = (): string => ["", " ", "\n", "\t\r "][pick() % 4] ?? "";
  const text = (plain: string): string => {
    const units = [...Array(plain.length).keys()].map((index) => plain.charCodeAt(index));
    const spelled = units.map((unit) =>
      unit < 0x20 || unit === 0x22 || unit === 0x5c || pick() % 3 === 0
        ? `\\u${unit.toString(16).padStart(4, "0")}`
        : String.fromCharCode(unit),
    );
    return `"${spelled.join("")}"`;
  };
  const spell = (one: JsonValue): string => {
    if (typeof one === "string") return text(one);
    if (one === null || typeof one !== "object") return JSON.stringify(one);
    if (Array.isArray(one)) return `[${one.map((item) => space() + spell(item) + space()).join(",")}]`;
    const members = Object.entries(one).map(
      ([key, member]) => `${space()}${text(key)}${space()}:${space()}${spell(member)}${space()}`,
    );
    return `{${members.join(",")}}`;
  };
  return space() + spell(written) + space();
}

describe("a value within the limits", () => {
  it("is read as it was written", () => {
    fc.assert(
      fc.property(value, (written) => {
        const text = JSON.stringify(written);
        expect(read(text)).toEqual({ ok: true, value: JSON.parse(text) });
      }),
      RUNS,
    );
  });

  it("is read the same in every spelling", () => {
    fc.assert(
      fc.property(value, fc.infiniteStream(fc.nat(11)), (written, stream) => {
        const text = respelled(written, () => stream.next().value ?? 0);
        // Spelling units one by one may split a pair over an escape and a raw half, which has no UTF-8 form.
        fc.pre(text.isWellFormed());
        expect(read(text)).toEqual({ ok: true, value: JSON.parse(text) });
      }),
      RUNS,
    );
  });
});

describe("any input", () => {
  it("of quotes, backslashes and letters of escapes ends where `JSON.parse` says that it ends", () => {
    let texts = [""];
    for (let length = 0; length <= 7; length += 1) {
      for (const text of texts) {
        const asked = `["${text}"]`;
        let expected: unknown = "refused";
        try {
          expected = JSON.parse(asked);
        } catch {
          // It is no JSON.
        }
        const result = read(asked);
        if (JSON.stringify(result.ok ? result.value : "refused") !== JSON.stringify(expected)) {
          expect({ asked, result }).toEqual({ asked, expected });
        }
      }
      texts = texts.flatMap((text) => ['"', "\\", "n", "u"].map((next) => text + next));
    }
  });

  it("of bytes is read or refused, never more leniently than `JSON.parse`", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const result = parseStrictJson(bytes);
        if (result.ok) expect(same(result.value, JSON.parse(Buffer.from(bytes).toString("utf8")))).toBe(true);
        else expect(result.fault.code).toMatch(/^FEMTO_PROTOCOL_/);
      }),
      RUNS,
    );
  });

  it("that is JSON with one character changed is never read as something else than `JSON.parse` reads", () => {
    fc.assert(
      fc.property(
        value,
        fc.nat(),
        fc.constantFrom(...'"\\{}[],:0-+.eE1ntu \u0000\u2028x'),
        (written, place, character) => {
          const text = JSON.stringify(written);
          const at = place % (text.length + 1);
          const changed = (text.slice(0, at) + character + text.slice(at + 1)).toWellFormed();
          const result = read(changed);
          if (result.ok) expect(same(result.value, JSON.parse(changed))).toBe(true);
        },
      ),
      RUNS,
    );
  });

  it("with a key that stands twice, however it is spelled, is refused", () => {
    fc.assert(
      fc.property(fc.array(wellFormed, { minLength: 1, maxLength: 4 }), fc.nat(), fc.nat(11), (names, index, seed) => {
        const distinct = [...new Set(names)].filter((name) => name !== "__proto__");
        fc.pre(distinct.length > 0);
        const twice = distinct[index % distinct.length] ?? "";
        const members = [...distinct, twice].map((name) => {
          const spelled = respelled(name, () => seed).trim();
          return `${spelled.isWellFormed() ? spelled : JSON.stringify(name)}:0`;
        });
        expect(read(`{${members.join(",")}}`)).toMatchObject({
          ok: false,
          fault: { code: "FEMTO_PROTOCOL_DUPLICATE_KEY" },
        });
      }),
      RUNS,
    );
  });
});
