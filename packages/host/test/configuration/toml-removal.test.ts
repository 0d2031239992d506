import { parse } from "toml";
import { describe, expect, it } from "vitest";
import { removeFromToml } from "../../src/configuration/toml-removal.ts";

/** The place of the item that is marked in the text, and the text without the mark. */
function marked(text: string): { readonly text: string; readonly line: number; readonly column: number } {
  const at = text.indexOf("@");
  const before = text.slice(0, at);
  const line = before.split("\n").length;
  return { text: before + text.slice(at + 1), line, column: at - before.lastIndexOf("\n") };
}

describe("an item is taken out of", () => {
  it.each([
    ["a list of one", '[ask]\nread = [ @"a" ] # r\n', "[ask]\nread = [  ] # r\n"],
    ["the head of a list", '[ask]\nread = [@"a", "b"]\n', '[ask]\nread = ["b"]\n'],
    ["the middle of a list", '[ask]\nread = ["a", @"b", "c"]\n', '[ask]\nread = ["a", "c"]\n'],
    ["the end of a list", '[ask]\nread = ["a", @"b"]\n', '[ask]\nread = ["a"]\n'],
    ["the end of a list with a comma", '[ask]\nread = ["a", @"b",]\n', '[ask]\nread = ["a"]\n'],
    [
      "lines, with its comma and its comment",
      '[ask]\r\nread = [\r\n  "a", # a\r\n  @"b" # b\r\n  , # comma\r\n  "c",\r\n]\r\n',
      '[ask]\r\nread = [\r\n  "a", # a\r\n  "c",\r\n]\r\n',
    ],
    [
      "the last of the lines, without a comma",
      '[ask]\nread = [\n  "a",\n  @"b" # b\n  # end\n]\n',
      '[ask]\nread = [\n  "a",\n  # end\n]\n',
    ],
    [
      "the list of a program",
      '[ask]\nrun = { git = ["pull", @{ word = "push", flags = ["-f", "-n"] }], rm = ["x"] }\n',
      '[ask]\nrun = { git = ["pull"], rm = ["x"] }\n',
    ],
    ["dotted keys", 'ask.run.git = [@"push"]\n', "ask.run.git = []\n"],
    ["a line that it shares", '[ask]\nread = [\n  "a", @"b", "c",\n]\n', '[ask]\nread = [\n  "a", "c",\n]\n'],
    ["items that hold commas", '[ask]\nread = [@"a,b", "]"]\n', '[ask]\nread = ["]"]\n'],
    [
      "items before an array of the same text",
      '[a]\nx = ["v"]\n[ask]\nx = [@"v"]\n',
      '[a]\nx = ["v"]\n[ask]\nx = []\n',
    ],
  ])("%s", (_, written, expected) => {
    const { text, ...place } = marked(written);
    expect(removeFromToml(text, place)).toBe(expected);
    expect(() => parse(expected)).not.toThrow();
  });

  it("nothing, where no item of a list stands", () => {
    for (const place of [
      { line: 1, column: 1 },
      { line: 2, column: 8 },
      { line: 9, column: 1 },
      { line: 0, column: 0 },
    ]) {
      expect(removeFromToml('[ask]\nread = ["a"]\nother = "b"\n', place)).toBeNull();
    }
  });
});
