/** How agents are told of the MCP server, and how their own ways to files and programs are turned off. */
import { tomlList, tomlString } from "../configuration/toml-text.ts";

export const AGENT_KINDS = ["claude", "codex", "opencode"] as const;
export type AgentKind = (typeof AGENT_KINDS)[number];

export interface AgentConfiguration {
  /** What belongs into the agent's own file. */
  readonly text: string;
  /** Where it belongs, and how the agent is started then. */
  readonly use: readonly string[];
}

/** `command` is the MCP server's program and its arguments. */
export function agentConfiguration(kind: AgentKind, command: readonly string[]): AgentConfiguration {
  const [program = "", ...args] = command;
  switch (kind) {
    case "claude":
      return {
        text: json({ mcpServers: { femtoclaw: { command: program, args } } }),
        use: [
          "save it as femtoclaw-mcp.json, outside of what the agent may write, and start:",
          '  claude --mcp-config femtoclaw-mcp.json --strict-mcp-config --tools "" --allowedTools "mcp__femtoclaw__*"',
        ],
      };
    case "codex":
      return {
        text: [
          "[mcp_servers.femtoclaw]",
          `command = ${tomlString(program)}`,
          `args = ${tomlList(args)}`,
          "tool_timeout_sec = 600",
          'default_tools_approval_mode = "approve"',
        ].join("\n"),
        use: [
          "add it to ~/.codex/config.toml, and start:",
          "  codex --disable shell_tool --disable unified_exec --disable multi_agent --disable goals",
        ],
      };
    case "opencode":
      return {
        text: json({
          $schema: "https://opencode.ai/config.json",
          mcp: { femtoclaw: { type: "local", command, enabled: true } },
          tools: Object.fromEntries(OPENCODE_TOOLS.map((name) => [name, false])),
        }),
        use: ["save it as opencode.json in the project, or add it to the one that is there, and start: opencode"],
      };
  }
}

/** Its own ways to files, programs and the network, and the one to start another agent that has them. */
const OPENCODE_TOOLS = ["bash", "edit", "write", "patch", "read", "grep", "glob", "list", "webfetch", "task"];

function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
