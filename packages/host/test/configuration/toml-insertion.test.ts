import { parse } from "toml";
import { describe, expect, it } from "vitest";
import { insertIntoToml } from "../../src/configuration/toml-insertion.ts";

const READ = { path: ["allow", "read"], item: '"/x"' };
const GIT = { path: ["allow", "run", "git"], item: '"status"' };

describe("a path is added to", () => {
  it.each([
    ["a list", 'a = 1\n[allow]\nread = ["."]\n', 'a = 1\n[allow]\nread = [".", "/x"]\n'],
    ["a list with a comma at its end", "[allow]\nread = ['.', ]\n", "[allow]\nread = ['.', \"/x\", ]\n"],
    ["an empty list", "[allow]\nread = [ ] # none\n", '[allow]\nread = ["/x" ] # none\n'],
    [
      "a list of lines, whose comments stay where they are",
      '[allow]\nread = [\n    ".",   # here\n    "a", # a\n    # end\n] # list\n',
      '[allow]\nread = [\n    ".",   # here\n    "a", # a\n    "/x",\n    # end\n] # list\n',
    ],
    [
      "a list of lines without a comma at its end",
      '[allow]\r\nread = [\r\n  "." # here\r\n]\r\n',
      '[allow]\r\nread = [\r\n  ".", # here\r\n  "/x"\r\n]\r\n',
    ],
    [
      "a table without such a list",
      '[allow] # may\n  write = ["o"] # w\n\n[deny]\n',
      '[allow] # may\n  write = ["o"] # w\n  read = ["/x"]\n\n[deny]\n',
    ],
    ["an empty table", "[allow] # may\n[deny]\n", '[allow] # may\nread = ["/x"]\n[deny]\n'],
    ["an inline table", 'allow = { write = ["o"] }\n', 'allow = { write = ["o"], read = ["/x"] }\n'],
    ["an empty inline table", "allow = {}\n[deny]\n", 'allow = { read = ["/x"] }\n[deny]\n'],
    ["an inline table's list", 'allow = { read = ["o"] }', 'allow = { read = ["o", "/x"] }'],
    ["dotted keys", 'allow.write = ["o"] # w\nb = 1\n', 'allow.write = ["o"] # w\nallow.read = ["/x"]\nb = 1\n'],
    ["a dotted key's list", 'allow.read = ["o"]\n', 'allow.read = ["o", "/x"]\n'],
    ["quoted keys", '["allow"]\n"read" = ["o"]\n', '["allow"]\n"read" = ["o", "/x"]\n'],
    [
      "a text without the table",
      'a = 1\n[deny]\nread = ["s"]',
      'a = 1\n[deny]\nread = ["s"]\n\n[allow]\nread = ["/x"]\n',
    ],
    [
      "a text with a part of the table only",
      '[allow.run]\necho = ["*"]\n',
      '[allow.run]\necho = ["*"]\n\n[allow]\nread = ["/x"]\n',
    ],
    ["an empty text", "", '[allow]\nread = ["/x"]\n'],
    ["a text of comments", "# nothing\r\n", '# nothing\r\n\r\n[allow]\r\nread = ["/x"]\r\n'],
    [
      "lists of lists of other keys",
      '[allow]\nread = ["]", "[", \'#\', """\n]"""]\n',
      '[allow]\nread = ["]", "[", \'#\', """\n]""", "/x"]\n',
    ],
  ])("%s", (_, text, expected) => {
    expect(insertIntoToml(text, READ)).toBe(expected);
    expect((parse(expected) as { allow: { read: string[] } }).allow.read.at(-1)).toBe("/x");
  });
});

describe("a use of a program is added to", () => {
  it.each([
    [
      "an inline table of programs",
      '[allow]\nrun = { echo = ["*"] } # r\n',
      '[allow]\nrun = { echo = ["*"], git = ["status"] } # r\n',
    ],
    [
      "the list of the program",
      '[allow]\nrun = { git = ["log"], echo = ["*"] }\n',
      '[allow]\nrun = { git = ["log", "status"], echo = ["*"] }\n',
    ],
    [
      "a table of its own",
      '[allow.run]\necho = ["*"]\n\n[deny]\n',
      '[allow.run]\necho = ["*"]\ngit = ["status"]\n\n[deny]\n',
    ],
    [
      "the list in it",
      '[allow]\n[allow.run]\ngit = [{ word = "log", flags = ["-n"] }]\n',
      '[allow]\n[allow.run]\ngit = [{ word = "log", flags = ["-n"] }, "status"]\n',
    ],
    [
      "dotted keys in the table",
      '[allow]\nread = ["."]\nrun.echo = ["*"]\n',
      '[allow]\nread = ["."]\nrun.echo = ["*"]\nrun.git = ["status"]\n',
    ],
    [
      "dotted keys before all tables",
      'allow.run.echo = ["*"]\n',
      'allow.run.echo = ["*"]\nallow.run.git = ["status"]\n',
    ],
    ["dotted keys of another list", 'allow.read = ["."]\n', 'allow.read = ["."]\nallow.run = { git = ["status"] }\n'],
    [
      "dotted keys in an inline table",
      'allow = { run.echo = ["*"] }\n',
      'allow = { run.echo = ["*"], run.git = ["status"] }\n',
    ],
    ["a table without programs", '[allow]\nread = ["."]\n', '[allow]\nread = ["."]\nrun = { git = ["status"] }\n'],
    [
      "an inline table of lines",
      'allow = {\n  read = ["."], # r\n}\n',
      'allow = {\n  read = ["."], # r\n  run = { git = ["status"] },\n}\n',
    ],
    ["a text without the table", "", '[allow]\nrun = { git = ["status"] }\n'],
  ])("%s", (_, text, expected) => {
    expect(insertIntoToml(text, GIT)).toBe(expected);
    const { allow } = parse(expected) as { allow: { run: { git: unknown[] } } };
    expect(allow.run.git.at(-1)).toBe("status");
  });

  it("nothing but a list", () => {
    expect(insertIntoToml('[allow]\nrun = "x"\n', GIT)).toBeNull();
    expect(insertIntoToml("[allow]\nrun = [1]\n", GIT)).toBeNull();
    expect(insertIntoToml('[allow]\nrun = { git = "x" }\n', GIT)).toBeNull();
    expect(insertIntoToml("allow = 1\n", GIT)).toBeNull();
  });
});
