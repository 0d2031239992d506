/** Every example on the page about the configuration is one that a host reads. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readConfiguration } from "../../src/configuration/read-configuration.ts";

const page = readFileSync(join(import.meta.dirname, "../../../../docs/reference/configuration.md"), "utf8");
const examples = [...page.matchAll(/^```toml\n([\s\S]*?)^```$/gm)].map(([, text = ""]) => text);

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
