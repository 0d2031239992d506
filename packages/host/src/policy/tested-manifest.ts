/**
 * The manifest for a test of the policy. The tools that an MCP server offers are not known here, so any tool name of a
 * configured server is accepted.
 */
import { type CapabilityManifest, mcpCapability, splitMcpToolName } from "@femtoclaw/protocol";

const ANY_DEFINITION = "0".repeat(64);

export function testedManifest(tool: string, manifests: readonly CapabilityManifest[]): CapabilityManifest | undefined {
  const named = manifests.find(({ name }) => name === tool);
  const called = splitMcpToolName(tool);
  if (named !== undefined || called === null) return named;
  const server = manifests.find(({ name }) => name === mcpCapability(called.server));
  if (server === undefined) return undefined;
  return {
    ...server,
    input: {},
    arguments: [{ pointer: "", kind: "mcp_tool", ...called, definition: ANY_DEFINITION }],
  };
}
