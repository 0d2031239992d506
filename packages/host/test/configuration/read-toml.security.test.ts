/** Hostile TOML: every input gives a fault with a code or a harmless value, never a crash or a hang. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { readConfiguration } from "../../src/configuration/read-configuration.ts";
import { readToml } from "../../src/configuration/read-toml.ts";
import { tomlList } from "../../src/configuration/toml-text.ts";
import { faultOf } from "./temporary-home.ts";

const codeOf = (content: string | Uint8Array): string | undefined =>
  faultOf(() => readConfiguration(Buffer.from(content), "femtoclaw.toml"))?.code;

test.each([
  ["2 MiB", `# ${"x".repeat(2 * 1_048_576)}`, "FEMTO_CONFIG_INVALID"],
  ["a million brackets", `a = ${"[".repeat(1_000_000)}`, "FEMTO_CONFIG_SYNTAX"],
  ["nested lists", `a = ${"[".repeat(40)}${"]".repeat(40)}`, "FEMTO_CONFIG_SYNTAX"],
  ["nested tables", `a = ${"{ a = ".repeat(150_000)}`, "FEMTO_CONFIG_SYNTAX"],
  ["a key of 100,000 parts", `${Array(100_000).fill("a").join(".")} = 1`, "FEMTO_CONFIG_INVALID"],
  ["a header of 100,000 parts", `[${Array(100_000).fill("a").join(".")}]`, "FEMTO_CONFIG_INVALID"],
  ["50,000 tables", "[[a]]\n".repeat(50_000), "FEMTO_CONFIG_INVALID"],
  ["20,000 unknown keys", Array.from({ length: 20_000 }, (_, n) => `k${n} = 1`).join("\n"), "FEMTO_CONFIG_INVALID"],
  [
    "a header of 50,000 parts over 20,000 keys",
    `[${Array(50_000).fill("a").join(".")}]\n${Array.from({ length: 20_000 }, (_, n) => `k${n} = 1`).join("\n")}`,
    "FEMTO_CONFIG_INVALID",
  ],
  ["300,000 values", `a = [${"1,".repeat(300_000)}]`, "FEMTO_CONFIG_INVALID"],
  ["a million lines in a string", `workspace = '''${"\n".repeat(1_000_000)}'''`, "FEMTO_CONFIG_SYNTAX"],
  ["an open string", `a = "${"x".repeat(500_000)}`, "FEMTO_CONFIG_SYNTAX"],
  ["a NUL", "a = '\0'", "FEMTO_CONFIG_SYNTAX"],
  ["a lone surrogate", 'a = "\\ud800"', "FEMTO_CONFIG_SYNTAX"],
  ["a bare carriage return", "a = 1\rb = 2", "FEMTO_CONFIG_SYNTAX"],
  ["JSON", '{"workspace": "."}', "FEMTO_CONFIG_SYNTAX"],
  ["a mark in the middle", "workspace = '.'\n\ufeff[allow]", "FEMTO_CONFIG_SYNTAX"],
  ["a table and a value", "a.b = 1\n[a]\nc = 1", "FEMTO_CONFIG_SYNTAX"],
])("%s", (_, content, code) => {
  expect(codeOf(content)).toBe(code);
});

test("bytes that are not UTF-8 are refused, with their line", () => {
  const bytes = Buffer.concat([Buffer.from("workspace = '.'\n# "), Buffer.from([0xc3, 0x28]), Buffer.from("\n")]);
  const fault = faultOf(() => readToml(bytes, "femtoclaw.toml"));
  expect(fault).toMatchObject({ code: "FEMTO_CONFIG_SYNTAX", message: "femtoclaw.toml:2:1: this line is not UTF-8" });
  expect(codeOf(Buffer.from("workspace = '.'", "utf16le"))).toBe("FEMTO_CONFIG_SYNTAX");
  // An overlong form of the slash.
  expect(codeOf(Buffer.from([0x61, 0x3d, 0x22, 0xc0, 0xaf, 0x22]))).toBe("FEMTO_CONFIG_SYNTAX");
});

test.each(["\u202e", "\u2066", "\u200f", "\u061c"])(
  "%j, which shows a reviewer another text, is refused",
  (character) => {
    const fault = faultOf(() => readToml(Buffer.from(`a = 1\n# x${character}y`), "femtoclaw.toml"));
    expect(fault?.code).toBe("FEMTO_CONFIG_SYNTAX");
    expect(fault?.message).toMatch(
      /^femtoclaw\.toml:2:4: a character that hides, reorders or imitates text; write it as \\u/,
    );
    expect(fault?.message).not.toContain(character);
  },
);

const IN_QUOTES = [
  ["a space without a width", "pu\u200bsh", "\\u200b"],
  ["a hyphen that is not drawn", "pu\u00adsh", "\\u00ad"],
  ["a space that does not break", "push\u00a0", "\\u00a0"],
  ["a joiner of letters", "pu\u200dsh", "\\u200d"],
  ["a variant of a letter", "push\ufe0f", "\\ufe0f"],
  ["a tag", "push\u{e0061}", "\\U000e0061"],
  ["a letter of another alphabet", "p\u0443sh", "\\u0443"],
  ["a blank of Braille", "pu\u2800sh", "\\u2800"],
] as const;

test.each(IN_QUOTES)(
  "%s in quotes, which nobody sees, is refused: a rule with it would hold for nothing",
  (_, word, as) => {
    for (const [before, after] of [
      ['a = ["x", "', '"]'],
      ["a = ['", "']"],
      ['a = """\n', '"""'],
      ["a = '''", "'''"],
      ['"', '" = 1'],
      ['a = """it\'s "" # ', '"""'],
      ['a = "# \\" # ', '"'],
    ]) {
      const fault = faultOf(() =>
        readToml(Buffer.from(`b = 1 # it's "é"\n${before}${word}${after}\n`), "femtoclaw.toml"),
      );
      expect(fault).toMatchObject({ code: "FEMTO_CONFIG_SYNTAX" });
      expect(fault?.message).toContain(`hides, reorders or imitates text; write it as ${as} in double quotes`);
      expect(fault?.message).toMatch(/^femtoclaw\.toml:[23]:/);
    }
  },
);

test.each(IN_QUOTES)("%s in a comment, or written as an escape, is taken", (_, word, as) => {
  const plain = [...word].map((one) => (/[a-z]/.test(one) ? one : as)).join("");
  const { value } = readToml(Buffer.from(`# ${word} it's "${word}\na = "${plain}" # '${word}'`), "femtoclaw.toml");
  expect(value).toEqual({ a: word });
});

test("text of any language is taken in quotes", () => {
  const texts = ["é", "naïve/Ünïcode", "Отчёт-2026", "相关", "ελληνικά", "📁/🗂", "עברית", "it's", "a\tb"];
  const { value } = readToml(Buffer.from(`a = [${texts.map((text) => `"${text}"`).join(", ")}]`), "femtoclaw.toml");
  expect(value).toEqual({ a: texts });
});

test("quotes without an end are searched once", () => {
  for (const text of ['"\\"', "'''", '"""', "'\n", '"""a""']) {
    const long = `${text.repeat(Math.floor(900_000 / text.length))}é`;
    expect(codeOf(long)).toBe("FEMTO_CONFIG_SYNTAX");
  }
});

test("whatever a command writes into a file is taken and means the same", () => {
  const hostile = fc.string({ unit: fc.constantFrom(..."aрé\u200b\u0301\"\\'#\n\u00a0") });
  const text = fc.oneof(hostile, fc.string({ unit: "binary" })).map((any) => any.toWellFormed());
  fc.assert(
    fc.property(fc.array(text), (texts) => {
      const { value } = readToml(Buffer.from(`a = ${tomlList(texts)}`), "femtoclaw.toml");
      expect(value).toEqual({ a: texts });
    }),
    { numRuns: 50 },
  );
});

test("__proto__ and constructor are keys like any others", () => {
  const { value } = readToml(Buffer.from("__proto__.polluted = true\nconstructor.prototype.polluted = true"), "f");
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  expect(Object.keys(value ?? {})).toEqual(["__proto__", "constructor"]);
  expect(codeOf("__proto__.allow.read = ['/']")).toBe("FEMTO_CONFIG_INVALID");
  expect(codeOf("[capabilities]\n__proto__ = true")).toBe("FEMTO_CONFIG_INVALID");
});

test("messages never carry control characters of the file into a terminal", () => {
  const fault = faultOf(() => readConfiguration(Buffer.from('"\\u001b[2J\\u202e" = 1'), "femtoclaw.toml"));
  expect(fault?.message).toMatch(/^femtoclaw\.toml:1:1: unknown key `\\u\{1b\}\[2J\\u\{202e\}`/);
});
