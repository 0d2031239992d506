/** What people read: aligned, nothing empty, nothing that commands their terminal. */
import type { Reply } from "@femtoclaw/protocol";
import { describe, expect, test } from "vitest";
import { callText } from "../src/terminal/call-text.ts";
import { changeLines } from "../src/terminal/change-text.ts";
import { factLines } from "../src/terminal/fact-text.ts";
import { makeOutput } from "../src/terminal/output.ts";
import { prose } from "../src/terminal/prose.ts";
import { differenceLines } from "../src/terminal/replay-text.ts";
import { exitOf, happened, headline, replyLines } from "../src/terminal/reply-text.ts";
import { fittingTable, hangingTable, table, wordTable } from "../src/terminal/table.ts";

const plain = { ...makeOutput({ json: false, quiet: false }), style: (_style: unknown, text: string) => text };
const base = { execution_id: "e", decision: "AUTHORIZED", record: { seq: 7 } } as const;
const completed = (result: Record<string, unknown>): Reply => ({ ...base, status: "completed", result });

describe("a table", () => {
  test("is as wide as what is seen, whatever colours and scripts are in it", () => {
    const lines = table([
      ["\u001b[32mab\u001b[39m", "x"],
      ["日本", "y"],
      ["abcdef", "z"],
    ]);
    expect(lines).toEqual(["\u001b[32mab\u001b[39m      x", "日本    y", "abcdef  z"]);
    expect(table([])).toEqual([]);
  });

  test("leaves columns out on a narrow terminal, then cuts one, and is whole where there is no terminal", () => {
    const rows = [["7", "2026-01-01", "tracker__search", "\u001b[32mdone\u001b[39m", "id"]];
    const [whole] = table(rows);
    const narrow = (columns: number | null) => fittingTable(rows, { columns, leaveOut: [3, 1], cut: 2 })[0];
    expect([narrow(null), narrow(40), narrow(400)]).toEqual([whole, whole, whole]);
    expect(narrow(39)).toBe("7  2026-01-01  tracker__search  id");
    expect(narrow(22)).toBe("7  tracker__search  id");
    expect(narrow(20)).toBe("7  tracker__sea…  id");
    expect(narrow(1)).toBe("7  tracker…  id");
  });
});

describe("facts", () => {
  test("are named by their place; what is empty says nothing, digests are short", () => {
    const facts = {
      a: { b: [1, 2], c: {}, d: null },
      e: "0".repeat(64),
      f: { g: true, h: 2 },
      i: [{ j: 1 }, { j: 2 }],
    };
    expect(factLines(facts, null)).toEqual([
      "  a.b  1 · 2",
      "  e    000000000000…",
      "  f    g true · h 2",
      "  i.0  j 1",
      "  i.1  j 2",
    ]);
    expect(factLines(null, null)).toEqual([]);
  });

  test("cannot command a terminal, neither by name nor by value, and are bounded", () => {
    const [line] = factLines({ "\u001b[2J": "\u001b]0;x\u0007\u202e" }, null);
    expect(line).toBe("  \\u{1b}[2J  \\u{1b}]0;x\\u{7}\\u{202e}");
    expect(factLines({ a: "x".repeat(10_000) }, null)[0]?.length).toBeLessThan(300);
  });

  test("continue below themselves on a narrow terminal, and not at its left edge", () => {
    const lines = factLines({ history: { calls: 0, failures: 0, refusals: 0, has_read_secret: false } }, 40);
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines.slice(1)) expect(line).toMatch(/^ {11}\S/);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(40);
  });
});

test("a difference of the whole state of an actor has a name", () => {
  expect(differenceLines([{ actor: "sessions", path: "", before: undefined, after: {} }], plain)).toEqual([
    "",
    "sessions",
    "  the whole state",
    "    - nothing",
    "    + {}",
  ]);
});

describe("a call", () => {
  test("is told by its program, and by how many arguments it has", () => {
    const file = { real_path: "/usr/bin/git", device: "1", inode: "2", sha256: "0".repeat(64), cwd: "/srv" };
    const program = { kind: "program", program: "/usr/bin/git", word: "push", ...file } as const;
    const call = (words: number, flags: string[]): string =>
      callText("process_exec", { questions: [{ ...program, environment: [], flags, arguments: words }] });
    expect(call(1, [])).toBe("process_exec /usr/bin/git push (1 argument)");
    expect(call(2, ["--all"])).toBe("process_exec /usr/bin/git push --all (2 arguments)");
  });
});

describe("a reply", () => {
  test("shows short things on one line, texts and lists below, and leaves out what is empty", () => {
    const entries = [
      { name: "a.txt", type: "file", bytes: 12 },
      { name: "folder", type: "directory", bytes: 4096 },
    ];
    const lines = replyLines(
      completed({ exit_code: 0, signal: null, stdout: "one\ntwo\u001b[31m\n", stderr: "", entries }),
      plain,
    );
    expect(lines).toEqual([
      "AUTHORIZED  record 7",
      "exit_code 0",
      "stdout:",
      "  one",
      "  two\\u{1b}[31m",
      "entries:",
      "  a.txt   file       12",
      "  folder  directory  4096",
    ]);
    expect(replyLines(completed({}), plain)).toEqual(["AUTHORIZED  record 7"]);
    expect(replyLines(completed({ entries: [] }), plain)).toContain("  none");
  });

  test("shows a text of several lines as one, also within what an MCP server answered, and a tab as the way that it leads", () => {
    const content = [
      { type: "text", text: "one\n\ttwo\nabc\td\u001b[2J\n" },
      { type: "image", mimeType: "image/png" },
    ];
    expect(replyLines(completed({ is_error: false, content }), plain).slice(1)).toEqual([
      "is_error false",
      "content:",
      "  text",
      "    one",
      "            two",
      "    abc     d\\u{1b}[2J",
      "  image  image/png",
    ]);
    expect(replyLines(completed({ content: [{ type: "text", text: "one\n" }] }), plain)).toContain("  text  one");
    expect(happened(completed({ is_error: false, content }))).toBe("answered: one two abc d\\u{1b}[2J (image)");
    expect(happened(completed({ is_error: true, content: [null] }))).toBe("answered with an error: (nothing)");
  });

  test("shows a found line with its indent, and the tab in a name", () => {
    const matches = [
      { path: "Makefile", line: 2, text: "\techo hi\n" },
      { path: "a\tb", line: 11, text: "x\ty\u001b" },
    ];
    expect(replyLines(completed({ matches }), plain).slice(1)).toEqual([
      "matches:",
      "  Makefile  2           echo hi",
      "  a\\u{9}b   11  x       y\\u{1b}",
    ]);
  });

  test("cannot command a terminal by the names that a capability of others gives its results, or by their numbers", () => {
    const evil = "\u001b]52;c;eA==\u0007\u202e";
    const results = [
      { [evil]: 1, [`${evil} long`]: "one\ntwo" },
      { exit_code: evil, sandbox: evil, stdout: "" },
      { content: "x", bytes: evil },
      { bytes: evil, sha256: "x" },
      { bytes: 1, sha256: evil },
    ] as unknown as Record<string, string>[];
    for (const result of results) {
      const reply = completed(result);
      for (const text of [...replyLines(reply, plain), happened(reply)]) {
        expect(text).not.toMatch(/[\p{Cc}\u202e]/u);
      }
    }
  });

  test("takes time by its length, however long a line is, with tabs and without", () => {
    const lines = (stdout: string): string[] => replyLines(completed({ exit_code: 0, stdout }), plain);
    // Some seconds would be an hour if each character were looked at again for each.
    expect(lines("a".repeat(1_048_576)).at(-1)).toMatch(/^ {2}a+…$/);
    expect(lines("\ta".repeat(524_288)).at(-1)).toMatch(/^ {2}( {8}a)( {7}a)+ *…$/);
  });

  test("is told in one line, also where a capability of others gives what has no text", () => {
    const odd = { toString: 0, valueOf: 0 };
    const results = [
      { exit_code: odd, sandbox: odd, stdout: odd },
      { content: odd, bytes: odd },
      { bytes: odd, sha256: "0" },
    ];
    for (const result of results) {
      const reply = completed(result);
      expect(happened(reply)).toContain('{"toString":0,"valueOf":0}');
      expect(replyLines(reply, plain)).toEqual(expect.arrayContaining(["  toString  0", "  valueOf   0"]));
    }
  });

  test("that failed says code, reason and fix, harmlessly", () => {
    const error = {
      error_type: "CapabilityError",
      code: "FEMTO_FILE_NOT_FOUND",
      reason: "no \u001b[2J",
      fix: "look",
      timestamp: "2026-01-01T00:00:00.000Z",
    } as const;
    const reply: Reply = { ...base, status: "error", error, policy: { revision: "r", rules: ["toml/allow.read/1"] } };
    expect(replyLines(reply, plain)).toEqual([
      "AUTHORIZED  toml/allow.read/1  record 7",
      "FEMTO_FILE_NOT_FOUND: no \\u{1b}[2J",
      "fix: look",
    ]);
    expect(exitOf(reply)).toBe(1);
    expect(exitOf({ ...reply, error: { ...error, code: "FEMTO_OF_THE_FUTURE" } })).toBe(2);
  });

  test.each([
    [{ status: "completed", decision: null }, "RECORDED", 0],
    [{ status: "pending", decision: null }, "pending", 75],
    [{ status: "interrupted", decision: "AUTHORIZED" }, "INTERRUPTED", 2],
  ] as const)("%j is called %s", (part, expected, exit) => {
    const reply: Reply = { execution_id: "e", record: null, ...part };
    expect(headline(reply)).toBe(expected);
    expect(exitOf(reply)).toBe(exit);
  });
});

describe("a change", () => {
  test("shows what goes and what comes, with some of what stays", () => {
    expect(changeLines("a\nb\nc\nd\nold\ne\nf", "a\nb\nc\nd\nnew\nmore\ne\nf")).toEqual([
      "  b",
      "  c",
      "  d",
      "- old",
      "+ new",
      "+ more",
      "  e",
      "  f",
    ]);
    expect(changeLines("x", "")).toEqual(["- x", "+ "]);
    expect(changeLines("same\nx", "same")).toEqual(["  same", "- x"]);
  });

  test("hides nothing: neither blanks at an end, nor line ends, nor commands, nor how much is left out", () => {
    expect(changeLines("a  ", "a\r")).toEqual(["- a\\u{20}\\u{20}", "+ a\\u{d}"]);
    expect(changeLines("+ ok\u001b[2K", "\u202e- gone")).toEqual(["- + ok\\u{1b}[2K", "+ \\u{202e}- gone"]);
    const many = changeLines("", "x\n".repeat(1_000));
    expect(many).toHaveLength(201);
    expect(many.at(-1)).toContain("and 801 lines more");
  });

  test("shows what comes, however much goes before it", () => {
    const short = changeLines("x\n".repeat(1_000), "evil\nmore");
    expect(short).toHaveLength(200);
    expect(short.slice(-4)).toEqual(["- x", "… and 804 more removed lines, which --json shows", "+ evil", "+ more"]);
    const long = changeLines("x\n".repeat(1_000), "y\n".repeat(1_000));
    expect(long.filter((line) => line === "- x")).toHaveLength(100);
    expect(long.filter((line) => line === "+ y")).toHaveLength(99);
    expect(long.at(-1)).toBe("… and 902 lines more, which --json shows");
  });
});

test("words that do not fit a terminal continue below, and what is to be copied stays whole", () => {
  const told = "  fix: Look at what `femtoclaw executions list` shows, then go on.";
  expect(prose(told, null)).toBe(told);
  expect(prose(told, 200)).toBe(told);
  expect(prose(told, 36)).toBe(
    ["  fix: Look at what", "    `femtoclaw executions list`", "    shows, then go on."].join("\n"),
  );
  // A line that is full to the last column, and what comes behind it.
  expect(prose(`${"a".repeat(20)} ${"b".repeat(9)} ccc`, 30)).toBe(`${"a".repeat(20)} ${"b".repeat(9)}\n  ccc`);
  // A path that is wider than a line begins where it stands, and no break is put into it.
  expect(prose(`in ${"/path".repeat(20)} ok`, 30)).toBe(`in ${"/path".repeat(20)} ok`);
  expect(prose("ok    check  what was found in words that go on", 34, 13)).toBe(
    ["ok    check  what was found in", "             words that go on"].join("\n"),
  );
  expect(
    wordTable(
      [
        ["a", "one two three four five six"],
        ["long", "seven"],
      ],
      27,
    ),
  ).toEqual(["a     one two three four\n      five six", "long  seven"]);
  // Colours take no room, blanks that align cells stay, and a very narrow terminal wraps by itself.
  expect(prose("\u001b[31mone  two\u001b[39m three", 25)).toBe("\u001b[31mone  two\u001b[39m three");
  expect(prose("one two three four five six", 12)).toBe("one two three four five six");
});

test("a card's texts continue within their column, and between words", () => {
  const lines = (text: string): string[] => hangingTable([["because", text]], "  ", 32).map((line) => line.slice(11));
  expect(lines("one two three four five six")).toEqual(["one two three four", "five six"]);
  // A word that is too long is cut, and blanks of which there are many are no place to continue below.
  expect(lines(`"${"a".repeat(25)} b"`)).toEqual([`"${"a".repeat(20)}`, 'aaaaa b"']);
  expect(lines(`one two${" ".repeat(12)}three`)).toEqual(["one", `two${" ".repeat(12)}three`]);
});
