/** How agents are told about the MCP server, and how their own access to files and programs is turned off. */
import type { HostEnvironment } from "@femtoclaw/protocol";
import { tomlKey, tomlList, tomlString } from "../configuration/toml-text.ts";
import { piExtension } from "./pi-extension.ts";

const AGENT_KINDS = ["claude", "codex", "opencode", "pi"] as const;
export type AgentKind = (typeof AGENT_KINDS)[number];

export interface AgentConfiguration {
  /** What belongs into the agent's own file. */
  readonly text: string;
  /** Where the text belongs, and how the agent is then started. */
  readonly use: readonly string[];
}

/**
 * Variables that say where state, configuration and sockets lie. Agents pass few variables on to their servers, and not
 * these.
 */
const VARIABLES = ["XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CONFIG_HOME"];

/** `command` is the MCP server's program with its arguments, and `environment` is that of the user's own shell. */
export function agentConfiguration(
  kind: AgentKind,
  command: readonly string[],
  environment: HostEnvironment,
): AgentConfiguration {
  const [program = "", ...args] = command;
  const env = VARIABLES.flatMap((name): [string, string][] => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value]];
  });
  switch (kind) {
    case "claude":
      return {
        text: json({ mcpServers: { femtoclaw: { command: program, args, env: Object.fromEntries(env) } } }),
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
          `env = ${inlineTable(env)}`,
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
          mcp: { femtoclaw: { type: "local", command, environment: Object.fromEntries(env), enabled: true } },
          tools: Object.fromEntries(OPENCODE_TOOLS.map((name) => [name, false])),
        }),
        use: [
          "add it to ~/.config/opencode/opencode.json, and start: opencode",
          "an opencode.json in the project counts more: let the agent write none",
        ],
      };
    case "pi":
      return {
        text: piExtension(command, Object.fromEntries(env)).trimEnd(),
        use: [
          "save it as femtoclaw-pi.js, outside of what the agent may write, and start:",
          "  pi --no-builtin-tools --extension femtoclaw-pi.js",
        ],
      };
  }
}

/**
 * The tools of opencode itself for files, programs and the network, and the one that starts another agent with such
 * tools.
 */
export const OPENCODE_TOOLS = ["bash", "edit", "write", "patch", "read", "grep", "glob", "list", "webfetch", "task"];

function inlineTable(members: readonly (readonly [string, string])[]): string {
  const written = members.map(([name, value]) => `${tomlKey(name)} = ${tomlString(value)}`);
  return written.length === 0 ? "{}" : `{ ${written.join(", ")} }`;
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
