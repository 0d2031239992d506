/** What is told of resources and prompts follows what rules permit of them. */
import type { McpContent, McpContentKind, McpGrant } from "@femtoclaw/protocol";
import { expect, test } from "vitest";
import { mayOffer } from "../../src/index.ts";

const compiled = {
  rules: [{ id: "toml/allow.tools.x/1", text: 'permit (principal, action == Action::"mcp_docs", resource);' }],
} as unknown as Parameters<typeof mayOffer>[0];
const NONE = { read: [], write: [], run: [] };
const grant = (tool: string | null, values: Readonly<Record<string, readonly string[]>> = {}): McpGrant => ({
  server: "docs",
  tool,
  source: "here",
  with: Object.entries(values).map(([argument, texts]) => ({
    argument,
    values: texts.map((text) => `${argument}=${JSON.stringify(text)}`),
  })),
});
const content = (kind: McpContentKind, name: string): McpContent => ({ kind, name, about: {} });

test.each([
  ["everything of the server", [grant(null)], content("resource", "docs://a"), true],
  ["another tool", [grant("search")], content("resource", "docs://a"), false],
  ["prompts", [grant("mcp_prompt_get")], content("resource", "docs://a"), false],
  ["its folder", [grant("mcp_resource_read", { uri: ["docs://a/*"] })], content("resource", "docs://a/b"), true],
  ["another folder", [grant("mcp_resource_read", { uri: ["docs://a/*"] })], content("resource", "docs://ab"), false],
  [
    "what a template may make",
    [grant("mcp_resource_read", { uri: ["docs://a/7"] })],
    content("template", "docs://a/{x}"),
    true,
  ],
  [
    "a folder around a template",
    [grant("mcp_resource_read", { uri: ["docs://*"] })],
    content("template", "docs://a/{x}"),
    true,
  ],
  [
    "what no template makes",
    [grant("mcp_resource_read", { uri: ["docs://b"] })],
    content("template", "docs://a/{x}"),
    false,
  ],
  [
    "a prompt with some arguments",
    [grant("mcp_prompt_get", { name: ["p"], "arguments.x": ["1"] })],
    content("prompt", "p"),
    true,
  ],
  ["another prompt", [grant("mcp_prompt_get", { name: ["q"] })], content("prompt", "p"), false],
])("an entry about %s", (_name, tools, one, shows) => {
  const tables = { allow: { ...NONE, tools }, ask: NONE, deny: NONE };
  expect(mayOffer(compiled, tables, "docs", one)).toBe(shows);
  expect(mayOffer(compiled, { ...tables, allow: NONE, ask: tables.allow }, "docs", one)).toBe(shows);
  expect(mayOffer(compiled, tables, "other", one)).toBe(false);
});

test("what an entry denies in every use is not told, and what it denies in some is", () => {
  const tables = (...tools: McpGrant[]) => ({
    allow: { ...NONE, tools: [grant(null)] },
    ask: NONE,
    deny: { ...NONE, tools },
  });
  const secret = content("resource", "docs://secret/a");
  expect(mayOffer(compiled, tables(grant("mcp_resource_read", { uri: ["docs://secret/*"] })), "docs", secret)).toBe(
    false,
  );
  expect(mayOffer(compiled, tables(grant(null)), "docs", secret)).toBe(false);
  const some = grant("mcp_prompt_get", { name: ["p"], "arguments.x": ["1"] });
  expect(mayOffer(compiled, tables(some), "docs", content("prompt", "p"))).toBe(true);
});

test("a permit that somebody wrote in Cedar may be about all of it", () => {
  const file = {
    rules: [{ id: "file/a", text: "permit (principal, action, resource);" }],
  } as unknown as typeof compiled;
  expect(mayOffer(file, { allow: NONE, ask: NONE, deny: NONE }, "docs", content("resource", "docs://a"))).toBe(true);
});
