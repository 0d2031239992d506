/** Whatever a model says, every line of it is marked, fits on the screen, and holds nothing that a terminal obeys. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { FlowingText, flowingLines } from "../../src/chat/flowing-text.ts";

/** Pieces of which hostile and honest texts are made. */
const piece = fc.oneof(
  fc.string({ unit: "binary", maxLength: 30 }),
  fc.constantFrom(
    "\n",
    "\r\n",
    "\t",
    " ",
    "\u001b[2K\u001b[1A",
    "\u202e",
    "\ud83d",
    "\ude00",
    "漢字",
    "  → fs_read",
    "│ ",
    "\u0000",
  ),
  fc.integer({ min: 1, max: 300 }).map((count) => " ".repeat(count)),
  fc.integer({ min: 1, max: 300 }).map((count) => "x".repeat(count)),
);

/** At the least what a terminal takes for it. */
const columnsOf = (line: string): number =>
  [...line].reduce((sum, character) => sum + (/[\u1100-\uffff]|[^\u0000-\uffff]/u.test(character) ? 2 : 1), 0);

test("every line is marked, none is wider than the screen, and nothing in it is obeyed", () => {
  fc.assert(
    fc.property(fc.array(piece), fc.integer({ min: 20, max: 200 }), (pieces, columns) => {
      let shown = "";
      const text = new FlowingText({ mark: "| ", columns: () => columns, write: (part) => (shown += part) });
      for (const part of pieces) text.push(part);
      text.end();
      expect(shown.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
      for (const line of shown.split("\n").slice(0, -1)) {
        expect(line.startsWith("| ")).toBe(true);
        expect(columnsOf(line)).toBeLessThan(columns);
      }
      expect(shown === "" || shown.endsWith("\n")).toBe(true);
    }),
  );
});

test("how a text is cut on its way makes no difference", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), fc.integer({ min: 1, max: 7 }), (text, chars) => {
      let shown = "";
      const flowing = new FlowingText({ mark: "| ", columns: () => 40, write: (part) => (shown += part) });
      for (let at = 0; at < text.length; at += chars) flowing.push(text.slice(at, at + chars));
      flowing.end();
      expect(shown.split("\n").slice(0, -1)).toEqual(flowingLines(text, { mark: "| ", columns: () => 40 }));
    }),
  );
});

test("words stay whole where they can, and without a screen lines are as long as they are", () => {
  const lines = (columns: number | null) =>
    flowingLines("one two three four\n\nfive", { firstMark: "> ", mark: "| ", columns: () => columns });
  expect(lines(14)).toEqual(["> one two ", "| three four", "| ", "| five"]);
  expect(lines(null)).toEqual(["one two three four", "", "five"]);
});

test("what comes together is written together, so that a long answer costs no system call for each character", () => {
  const written: string[] = [];
  const flowing = new FlowingText({ mark: "| ", columns: () => 40, write: (part) => void written.push(part) });
  flowing.push("some words\nand ".repeat(1_000));
  flowing.push("");
  flowing.end();
  expect(written).toHaveLength(2);
  expect(written.join("").split("\n")).toHaveLength(1_002);
});
