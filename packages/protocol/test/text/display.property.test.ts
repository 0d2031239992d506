/** What is shown to people cannot move their cursor, turn their text around, or hide. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countedText, isRedacted, printable, visibleJson } from "../../src/index.ts";

describe("printable text", () => {
  it("has no character that acts or hides, whatever went in", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) }), (text) => {
        const shown = printable(text);
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Default_Ignorable_Code_Point}\u2028\u2029]/u);
        expect(printable(shown, 10_000)).toBe(shown);
      }),
      { numRuns: 2_000 },
    );
  });

  it("is the text itself where it is harmless", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 100 }), (text) => {
        fc.pre(!/\p{C}|(?! )\p{Zs}/u.test(text));
        expect(printable(text)).toBe(text);
      }),
    );
    for (const text of ["Grüße, 世界 😀 ~/a b\\c", "Привет, world: α, β", "Việt", "שָׁלוֹם", "हिन्दी", '"one\\nдва"'])
      expect(printable(text)).toBe(text);
  });

  it("is never longer than asked, counted in characters of the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), fc.integer({ min: 1, max: 40 }), (text, charsMax) => {
        const shown = printable(text, charsMax);
        expect(shown.endsWith("…") || [...text].length <= charsMax).toBe(true);
        expect(shown.length).toBeLessThanOrEqual(charsMax * "\\u{10ffff}".length + 1);
      }),
    );
    expect(printable("😀".repeat(5), 4)).toBe("😀😀😀😀…");
    expect(printable("a".repeat(1_000_000)).length).toBe(201);
  });

  it.each([
    ["a terminal's escape", "\u001b[31mred", "\\u{1b}[31mred"],
    ["a carriage return", "safe\rrm -rf", "safe\\u{d}rm -rf"],
    ["a line feed", "one\ntwo", "one\\u{a}two"],
    ["text turned around", "a\u202etxt.exe", "a\\u{202e}txt.exe"],
    ["a zero-width space", "pay\u200bpal", "pay\\u{200b}pal"],
    ["tag characters", "x\u{e0041}", "x\\u{e0041}"],
    ["variation selectors that carry bytes", "x\u{e0100}\ufe01", "x\\u{e0100}\\u{fe01}"],
    ["a filler that looks like nothing", "a\u3164b", "a\\u{3164}b"],
    ["a lone surrogate", "a\ud800b", "a\ufffdb"],
    ["a C1 control", "a\u009bb", "a\\u{9b}b"],
    ["blanks that look like a space", "a\u00a0b\u2003c\u3000d", "a\\u{a0}b\\u{2003}c\\u{3000}d"],
    ["a letter of another alphabet that looks like a Latin one", "d\u0435ploy.sh", "d\\u{435}ploy.sh"],
    ["marks piled up over the lines around", `a${"\u0301".repeat(6)}b`, `a${"\u0301".repeat(4)}\\u{301}\\u{301}b`],
    ["a mark on what stands before the text", "\u0338yes", "\\u{338}yes"],
    ["a mark on a quotation mark", '"\u0338yes"', '"\\u{338}yes"'],
    ["such a letter behind a mark", "d\u0301\u03bf", "d\u0301\\u{3bf}"],
  ])("shows %s", (_what, text, shown) => {
    expect(printable(text)).toBe(shown);
  });
});

describe("a text on which somebody decides", () => {
  it("says what is missing", () => {
    expect(countedText("😀".repeat(4), 4)).toBe("😀😀😀😀");
    expect(countedText("😀".repeat(5), 4)).toBe("😀😀😀😀… (4 of 5 characters; --json shows all)");
  });

  it("tells where something was taken out", () => {
    expect([{ a: ["x [redacted]"] }, "password=[redacted:assignment]", "redacted", null].map(isRedacted)).toEqual([
      ...[true, true],
      ...[false, false],
    ]);
  });
});

describe("visible JSON", () => {
  it("is the same value, in one line that hides nothing", () => {
    const unit = fc.oneof(fc.nat(0xffff), fc.constantFrom(0x1b, 0x9b, 0x202e, 0x2028, 0xad, 0xfeff, 0x0a));
    const text = fc.string({ unit: unit.map((code) => String.fromCharCode(code)) });
    fc.assert(
      fc.property(fc.oneof(fc.dictionary(text, text), fc.array(text), text), (value) => {
        const json = visibleJson(value);
        expect(json).not.toMatch(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Default_Ignorable_Code_Point}\u2028\u2029]/u);
        expect(JSON.parse(json)).toEqual(value);
      }),
      { numRuns: 2_000 },
    );
  });
});
