/** Tests of a policy as an operator writes them. */
import { builtinCapabilities } from "@femtoclaw/capabilities";
import { expect, test } from "vitest";
import { readPolicyTests } from "../../src/policy/read-tests.ts";

const MANIFESTS = builtinCapabilities.map(({ manifest }) => manifest);
const read = (text: string) => readPolicyTests([{ name: "a.test.toml", bytes: Buffer.from(text) }], MANIFESTS);

test("cases and examples become calls with what is expected of them", () => {
  const tests = read(`[[case]]
name = "large files ask"
call = { tool = "fs_write", args = { path = "x", mode = "create", content = "" } }
facts = { bytes = 2000 }
expect = "ask"
rule = "file/a/b"

[tool.process_exec]
match = ["ls", ["git", "status"], { bin = "git", argv = ["log"], cwd = "src" }]
not_match = [["git", "push"]]

[tool.fs_read]
match = ["a"]
`);
  expect(tests.map(({ source, tool, args, expected }) => [source, tool, args, expected])).toEqual([
    ["policy/a.test.toml:1:3", "fs_write", { path: "x", mode: "create", content: "" }, ["ask"]],
    ["policy/a.test.toml:9:10", "process_exec", { bin: "ls" }, ["allow"]],
    ["policy/a.test.toml:9:16", "process_exec", { bin: "git", argv: ["status"] }, ["allow"]],
    ["policy/a.test.toml:9:35", "process_exec", { bin: "git", argv: ["log"], cwd: "src" }, ["allow"]],
    ["policy/a.test.toml:10:14", "process_exec", { bin: "git", argv: ["push"] }, ["ask", "deny"]],
    ["policy/a.test.toml:13:10", "fs_read", { path: "a" }, ["allow"]],
  ]);
  expect(tests[0]).toMatchObject({ name: "large files ask", facts: { bytes: 2000 }, rule: "file/a/b" });
});

test("a case may say who proposes and what happened before", () => {
  const [asked, plain] = read(`[[case]]
name = "late"
agent = "reviewer"
call = { tool = "fs_read", args = { path = "x" } }
history = { calls = 3, has_read_secret = true, at = "2026-06-01T12:00:00Z" }
expect = "deny"

[tool.fs_read]
match = ["a"]
`);
  const history = { calls: 3, has_read_secret: true, at: "2026-06-01T12:00:00Z" };
  expect(asked).toMatchObject({ agent: "reviewer", history });
  expect(plain).toMatchObject({ agent: null, history: {} });
});

const caseWith = (line: string) => `[[case]]\nname = "x"\ncall = { tool = "fs_read" }\nexpect = "deny"\n${line}`;

test.each([
  [
    "an unknown part of the history",
    caseWith("history = { cals = 1 }"),
    /5:13: unknown key `cals`; did you mean `calls`/,
  ],
  ["a count that is none", caseWith("history = { calls = -1 }"), /5:1: the history .*: `calls` is no count/],
  ["a truth that is none", caseWith("history = { has_read_secret = 1 }"), /`has_read_secret` is no truth value/],
  ["a time that is none", caseWith('history = { at = "noon" }'), /`at` is no time/],
  ["an agent that is no text", caseWith("agent = 1"), /5:1: `agent` is missing: the name of an agent/],
  ["an unknown key", "cases = []", /1:1: unknown key `cases`; did you mean `case`\?/],
  ["cases that are no list", "case = 1", /1:1: expected \[\[case\]\]/],
  ["a case without a name", '[[case]]\ncall = { tool = "fs_read" }\nexpect = "deny"', /1:3: `name` is missing/],
  ["a case without a call", '[[case]]\nname = "x"\nexpect = "deny"', /`tool` is missing/],
  [
    "an unknown outcome",
    '[[case]]\nname = "x"\ncall = { tool = "fs_read" }\nexpect = "refuse"',
    /4:1: "allow", "ask" or "deny"/,
  ],
  [
    "an unknown tool",
    '[tool.fs_raed]\nmatch = ["x"]',
    /1:2: no capability is called `fs_raed`; did you mean `fs_read`\?/,
  ],
  [
    "an unknown argument",
    '[[case]]\nname = "x"\ncall = { tool = "fs_read", args = { pth = "x" } }\nexpect = "deny"',
    /3:37: unknown key `pth`; did you mean `path`\?/,
  ],
  ["examples that are no list", '[tool.fs_read]\nmatch = "x"', /2:1: a list of calls/],
  ["a path with arguments", '[tool.fs_read]\nmatch = [["a", "b"]]', /2:10: a path is expected, or a table/],
  ["a call without a program", "[tool.process_exec]\nmatch = [[]]", /2:10: a program, or a list/],
  ["an argument that is no text", "[tool.process_exec]\nmatch = [['ls', 1]]", /2:10: a program, or a list/],
  ["a date", "[tool.fs_read]\nmatch = [2026-01-01]", /2:10: expected no date/],
  ["text that is no TOML", "[tool", /1:6: the file ends/],
])("%s is an error at its place", (_name, text, expected) => {
  expect(() => read(text)).toThrow(expected);
});

test("no more than a thousand", () => {
  const list = (count: number) => `[tool.fs_read]\nmatch = [${Array.from({ length: count }, () => '"a"').join(", ")}]`;
  expect(read(list(1_000))).toHaveLength(1_000);
  expect(() => read(list(1_001))).toThrow("more than 1000 tests");
});
