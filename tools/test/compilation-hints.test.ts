import { expect, test } from "vitest";
import { compilationHints } from "../generate/compilation-hints.ts";

const PREAMBLE = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

test("a section names the functions, and stands before the code", () => {
  // A function that answers 7: sections of types, functions and exports, and its code.
  const before = [...PREAMBLE, ...[1, 5, 1, 0x60, 0, 1, 0x7f], ...[3, 2, 1, 0], ...[7, 5, 1, 1, 0x66, 0, 0]];
  const module = Uint8Array.from([...before, ...[10, 6, 1, 4, 0, 0x41, 7, 0x0b]]);
  const { at, section } = compilationHints(module, [0, 300]);
  expect(at).toBe(before.length);
  expect(section.toString("latin1")).toBe(
    "\x00\x2d\x22metadata.code.compilation_priority\x02\x00\x00\x01\x00\xac\x02\x00\x01\x00",
  );
});

test("what ends early, or has no code, is refused", () => {
  expect(() => compilationHints(Uint8Array.from(PREAMBLE), [0])).toThrow("no code");
  expect(() => compilationHints(Uint8Array.from([...PREAMBLE, 1, 0x80]), [0])).toThrow("within a number");
});
