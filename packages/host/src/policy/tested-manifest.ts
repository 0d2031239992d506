/** The manifest that a test of the policy is about. What an MCP server offers is not known here, so any tool of it is one. */
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
