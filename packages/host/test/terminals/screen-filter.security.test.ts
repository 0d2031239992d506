import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SCREEN_RESTORED, ScreenFilter } from "../../src/terminal/screen-filter.ts";

const pass = (text: string): string => new ScreenFilter().pass(text);

describe("the filter of a watched screen", () => {
  it.each([
    ["colours", "\u001b[1;38;5;12mbold\u001b[0m"],
    ["the cursor and erasing", "\u001b[2J\u001b[10;20H\u001b[Kx\u001b7\u001b8\u001bM"],
    ["the other screen", "\u001b[?1049h\u001b[?25l\u001b[1;10r"],
    ["line drawing", "\u001b(0lqqk\u001b(B"],
    ["text of any script", "Ünïcödé 🦊\r\n\t"],
  ])("lets %s through", (_, text) => {
    expect(pass(text)).toBe(text);
  });

  it.each([
    ["the clipboard", "\u001b]52;c;aGFja2Vk\u0007"],
    ["the clipboard, ended otherwise", "\u001b]52;c;aGFja2Vk\u001b\\"],
    ["a title", "\u001b]0;title\u0007"],
    ["a link", "\u001b]8;;file:///etc/passwd\u001b\\"],
    ["the question where the cursor is", "\u001b[6n"],
    ["the question what it is", "\u001b[c\u001b[>c\u001bZ\u0005"],
    ["the question for a setting", "\u001bP$qm\u001b\\"],
    ["reports of the window", "\u001b[21t\u001b[8;1;1t"],
    ["mice, pasting and focus", "\u001b[?1000h\u001b[?1006h\u001b[?2004h\u001b[?1004h"],
    ["keys that send other things", "\u001b[?1h\u001b=\u001b[>4;2m\u001b[=5u\u001b[>1u"],
    ["a program of keys", "\u001bP1;1|17/68656c6c6f\u001b\\"],
    ["one-byte controls", "\u009d52;c;x\u009c".replace("52;c;x", "")],
    ["a private message", "\u001b^x\u001b\\\u001b_y\u001b\\\u001bXz\u001b\\"],
    ["a reset", "\u001bc\u001b[!p"],
    ["printing", "\u001b[5i\u001b[?4i"],
    ["the bell", "\u0007"],
    ["tab stops, which would stay when the watching ends", "\u001bH\u001b[3g"],
    ["erasing what was scrolled away", "\u001b[3J\u001b[03J\u001b[0;3J\u001b[2;003J"],
    ["numbers that keep a terminal busy", "\u001b[2147483647b\u001b[99999999@\u001b[1;2147483647H"],
  ])("keeps %s away", (_, text) => {
    expect(pass(text)).toBe("");
  });

  it("is followed by an end of every mode that it lets through", () => {
    const asBefore: Readonly<Record<string, string>> = { "7": "7h", "12": "12l", "25": "25h", "2026": "2026l" };
    for (let mode = 1; mode < 3_000; mode += 1) {
      const isLet = pass(`\u001b[?${mode}h`) !== "";
      // Leaving the other screen in one way leaves it in all; 1048 only keeps where the cursor is.
      const end = asBefore[mode] ?? (mode === 1048 ? "" : "1049l");
      if (isLet) expect([mode, SCREEN_RESTORED.includes(`\u001b[?${end}`) || end === ""]).toEqual([mode, true]);
    }
  });

  it("is not deceived by sequences within sequences, or cut anywhere", () => {
    expect(pass("\u001b]0;a\u001b]52;c;x\u0007b")).toBe("b");
    expect(pass("\u001b[\u001b]52;c;x\u0007ok")).toBe("ok");
    expect(pass("\u001b\u001b]52;c;x\u0007ok")).toBe("ok");
    expect(pass(`\u001b[${"1;".repeat(500)}m`)).not.toContain("\u001b");
  });

  it("gives the same wherever the output is cut, and never anything that is no drawing", () => {
    const piece = fc.constantFrom(
      ..."\u001b[]()?;:0159mhlcnPX^_\\\u0007\u0005\u009b\u009d~ \r\nAHJKtuqi=>!$".split(""),
      "text",
      "\u001b[",
      "\u001b]52;c;",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const whole = pass(pieces.join(""));
        const filter = new ScreenFilter();
        expect(pieces.map((one) => filter.pass(one)).join("")).toBe(whole);
        const drawing = /\u001b(?:\[[0-9;:]*[A-Za-z@`]|\[\?[0-9;]+[hl]|[()][0B]|[78DEM])/g;
        expect(whole.replace(drawing, "")).not.toMatch(/[\u0000-\u0007\u0010-\u001f\u007f-\u009f]/);
        expect(whole).not.toMatch(/\u001b\[[0-9;]*[cntxiq]/);
      }),
    );
  });
});
