/** A recording that is written to the operator's own terminal is JSON there, and nothing that the terminal obeys. */
import type { TerminalRecord } from "@femtoclaw/protocol";
import { expect, test } from "vitest";
import { Asciicast } from "../../src/terminal/asciicast.ts";

test("a recording shows no character that a terminal would obey, and players read the same", () => {
  const text = "\u001b]0;own\u0007\u009b31m\u009d52;c;aGk=\u009c\u007f\u202eabc\u200b";
  const marks = [{ kind: "output", after_us: 0, chars: text.length }];
  const recorded = { type: "terminal.recorded", mono_us: 5, body: { at_us: 5, text, marks } };
  const lines = new Asciicast().linesOf(recorded as unknown as TerminalRecord);
  expect(lines.join("\n")).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\u200b]/);
  expect(JSON.parse(lines.at(-1) ?? "")).toEqual([0, "o", text]);
});
