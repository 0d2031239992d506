import { expect, test } from "vitest";
import { LiveText } from "../src/terminal/live-text.ts";

const part = (text: string, skipped = 0) => ({ stream: "stdout" as const, text, skipped });

test("what was told is all of a result only where nothing of it was left out", () => {
  const text = new LiveText();
  text.lines(part("one\ntw"));
  text.lines({ stream: "stderr", text: "warning\n", skipped: 0 });
  expect(text.isAllOf({ stdout: "one\ntwo", stderr: "warning\n" })).toBe(false);
  text.lines(part("o"));
  expect(text.isAllOf({ stdout: "one\ntwo", stderr: "warning\n" })).toBe(true);
  expect(text.isAllOf({ content: "of another capability" })).toBe(true);
  text.lines(part("later", 100));
  expect(text.isAllOf({ stdout: `one\ntwo${"x".repeat(100)}later`, stderr: "warning\n" })).toBe(false);
});

test("a program cannot keep its output from who looks on by a word that is too long to be shown", () => {
  const text = new LiveText();
  text.lines(part("[10000 characters without a break are not shown]"));
  expect(text.isAllOf({ stdout: "x".repeat(10_000), stderr: "" })).toBe(false);
});

test("a tab leads to the next column of eight, as in a result", () => {
  const text = new LiveText();
  expect(text.lines(part("\tone\nab\tc\u001b\n"))).toEqual(["        one", "ab      c\\u{1b}"]);
});
