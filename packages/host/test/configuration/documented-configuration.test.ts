/** Every example of a configuration in README.md and on the page about the configuration is one that a host reads. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readConfiguration } from "../../src/configuration/read-configuration.ts";

const examplesOf = (name: string): string[] => {
  const page = readFileSync(join(import.meta.dirname, "../../../..", name), "utf8");
  return [...page.matchAll(/^```toml\n([\s\S]*?)^```$/gm)].map(([, text = ""]) => text);
};
const examples = examplesOf("docs/reference/configuration.md");

describe("docs/reference/configuration.md", () => {
  test("begins with a configuration that has most of the tables", () => {
    const { configuration } = readConfiguration(Buffer.from(examples[0] ?? ""), "femtoclaw.toml");
    expect(Object.keys(configuration)).toEqual(
      expect.arrayContaining(["capabilities", "allow", "ask", "deny", "agent"]),
    );
  });

  test.each(examples)("has no example with an unknown key or an impossible value: %s", (text) => {
    expect(() => readConfiguration(Buffer.from(text), "femtoclaw.toml")).not.toThrow();
  });
});

test("README.md has an example without an unknown key or an impossible value", () => {
  const [example = "", ...more] = examplesOf("README.md");
  expect(more).toEqual([]);
  const { configuration } = readConfiguration(Buffer.from(example), "femtoclaw.toml");
  expect(Object.keys(configuration)).toEqual(["capabilities", "allow", "ask", "deny"]);
});
