/** Cedar files about tools of MCP servers: a text that no fact holds would forbid nothing. */
import { expect, it } from "vitest";
import { mcpServerCapability } from "../../../capabilities/src/mcp/mcp-tool.ts";
import { findings, shareTrial } from "./files-fixture.ts";

shareTrial();

const manifests = [mcpServerCapability({ name: "git", isSandboxed: true }).manifest];
const found = async (condition: string) =>
  (
    await findings(`@id("a") forbid (principal, action == Action::"mcp_git", resource) when { ${condition} };`, {
      manifests,
    })
  )?.join() ?? null;

it.each([
  'context.values.contains("branch=\\"main\\"")',
  'context.values.containsAny(["n=5", "dry=true", "a=b=\\"x=y\\""])',
  'context.values.contains("uri=\\"docs://guide/*\\"")',
  `context.definition == "${"a".repeat(64)}"`,
])("a forbid is taken when %s", async (condition) => {
  expect(await found(condition)).toBeNull();
});

it.each([
  ["branch=main", "a value without quotes"],
  ["branch", "a name alone"],
  ["n=5.0", "another spelling of a number"],
  ["n=1.5", "a fraction, which is opaque"],
  ["a=[1]", "a list, which is opaque"],
])("a forbid is refused when the values contain %s, %s", async (text) => {
  expect(await found(`context.values.contains("${text}")`)).toContain(`\`context.values\` never holds "${text}"`);
});

it("a digest of a definition has small letters", async () => {
  expect(await found(`context.definition == "${"A".repeat(64)}"`)).toContain("64 hexadecimal digits");
});
