/** What a femtoclaw.toml says, and where exactly it is wrong. */
import { expect, test } from "vitest";
import { readConfiguration } from "../../src/configuration/read-configuration.ts";
import { faultOf } from "./temporary-home.ts";

const read = (text: string) => readConfiguration(Buffer.from(text), "femtoclaw.toml");
const messageOf = (text: string): string | undefined => faultOf(() => read(text))?.message;

test("values arrive as the schema wants them", () => {
  const { configuration } = read(`
workspace = "."
[capabilities]
process_exec = { timeout_ms = 5_000 }
[allow]
read = ["."]
run = { git = ["status", { word = "diff", flags = ["--stat"] }] }
[limits]
queue = 0x10
`);
  expect(configuration).toEqual({
    workspace: ".",
    capabilities: { process_exec: { timeout_ms: 5000 } },
    allow: { read: ["."], run: { git: ["status", { word: "diff", flags: ["--stat"] }] } },
    limits: { queue: 16 },
  });
});

test("a byte order mark at the start is passed over, as TOML asks", () => {
  expect(read('\ufeffworkspace = "."').configuration).toEqual({ workspace: "." });
});

test("keys, list items and values in lists have places", () => {
  const { sourceOf } = read(
    `[allow]
read = ["a",
  "b"]
run.git = ["x", { word = "y", flags = ["-z"] }]
[allow.run."/usr/bin/a~b"]
`.replace('[allow.run."/usr/bin/a~b"]\n', "[sandbox]\nenv = []\n"),
  );
  expect(sourceOf("/allow")).toBe("femtoclaw.toml:1:2");
  expect(sourceOf("/allow/read")).toBe("femtoclaw.toml:2:1");
  expect(sourceOf("/allow/read/1")).toBe("femtoclaw.toml:3:3");
  expect(sourceOf("/allow/run")).toBe("femtoclaw.toml:4:1");
  expect(sourceOf("/allow/run/git")).toBe("femtoclaw.toml:4:5");
  expect(sourceOf("/allow/run/git/1/flags/0")).toBe("femtoclaw.toml:4:40");
  expect(sourceOf("/sandbox/env/7/deeper")).toBe("femtoclaw.toml:6:1");
  expect(sourceOf("/nothing/here")).toBe("femtoclaw.toml:1:1");
});

test("names with slashes and tildes keep their places", () => {
  const { sourceOf } = read('allow.run = { "/usr/bin/a~b" = ["x"] }');
  expect(sourceOf("/allow/run/~1usr~1bin~1a~0b/0")).toBe("femtoclaw.toml:1:33");
});

test.each([
  ["\nalow = 1", "femtoclaw.toml:2:1: unknown key `alow`; did you mean `allow`?"],
  ["[allow]\nraed = []", "femtoclaw.toml:2:1: unknown key `raed`; did you mean `read`?"],
  ["[alow]", "femtoclaw.toml:1:2: unknown key `alow`; did you mean `allow`?"],
  ["[allow]\nrun = { git = [{ wrod = 'x' }] }", "femtoclaw.toml:2:18: unknown key `wrod`; did you mean `word`?"],
  ["limits = { queu = 1 }", "femtoclaw.toml:1:12: unknown key `queu`; did you mean `queue`?"],
  ["[capabilities.fs_read]\ntimeout = 1", "femtoclaw.toml:2:1: unknown key `timeout`; did you mean `timeout_ms`?"],
  ["[limits]\nqueue = 1.0", "femtoclaw.toml:2:1: expected no fraction here; found 1, and 1.0 is one too"],
  ["[limits]\nqueue = nan", "femtoclaw.toml:2:1: expected no fraction here; found NaN, and 1.0 is one too"],
  ["[limits]\nqueue = 9007199254740993", "femtoclaw.toml:2:1: the number 9007199254740993 is too large"],
  ["limits = 2026-01-01", "femtoclaw.toml:1:1: expected no date or time here; put text in quotes"],
  ["workspace = 07:32:00", "femtoclaw.toml:1:1: expected no date or time here; put text in quotes"],
  ["[allow]\nread = [1979-05-27T07:32:00Z]", "femtoclaw.toml:2:9: expected no date or time here; put text in quotes"],
  ["workspace = true", "femtoclaw.toml:1:1: expected text that is not empty; found true"],
  [
    "[[allow]]\nread = []",
    "femtoclaw.toml:1:3: expected a table with `read`, `write`, `run`, `fetch`, `tools`; found a list",
  ],
  ["workspace.x = 1", "femtoclaw.toml:1:1: expected text that is not empty; found a table"],
])("%j", (text, message) => {
  expect(messageOf(text)).toBe(message);
});

test.each([
  ["a = ", "femtoclaw.toml:1:5: the file ends in the middle of a value"],
  ["a = \n", "femtoclaw.toml:1:5: the line ends where a value or the rest of a key is expected"],
  ["a = 1\n\na = 2", "femtoclaw.toml:3:1: cannot redefine existing key 'a'; a file holds each key and each table once"],
  ["[a]\n[a]", "femtoclaw.toml:2:1: cannot redefine existing key 'a'; a file holds each key and each table once"],
  ["a = 1 b = 2", 'femtoclaw.toml:1:7: unexpected "b"'],
  ["a = 2026-02-30", "femtoclaw.toml:1:5: invalid date: day 30 out of range for month 2"],
  [
    "a = 99999999999999999999",
    "femtoclaw.toml:1:5: integer literal is outside the 64-bit signed integer range required by TOML",
  ],
])("syntax: %j", (text, message) => {
  const fault = faultOf(() => read(text));
  expect(fault).toMatchObject({ code: "FEMTO_CONFIG_SYNTAX", message });
});

test("all faults are reported at once, in the order of the file", () => {
  const text = `${"\n".repeat(8)}[limits]\nqueue = 0\nquue = 1\n[sandbox]\nenv = ["1", "OK", "="]\n[capabilities]\nfs_read = 2026-01-01\n`;
  expect(
    messageOf(text)
      ?.split("\n")
      .map((line) => line.split(" ")[0]),
  ).toEqual([
    "femtoclaw.toml:10:1:",
    "femtoclaw.toml:11:1:",
    "femtoclaw.toml:13:8:",
    "femtoclaw.toml:13:19:",
    "femtoclaw.toml:15:1:",
  ]);
});
