/** Tools of MCP servers as calls, facts and rules name them: `server__tool`, and arguments as `name=value`. */

/** One use of an MCP server's tools, as an entry of `tools` describes it. */
export interface McpGrant {
  readonly server: string;
  /** Null for every tool of the server. */
  readonly tool: string | null;
  /** For each of these arguments, the call must have one of its values. Without any, the arguments do not matter. */
  readonly with: readonly McpGrantArgument[];
  readonly source: string;
}

export interface McpGrantArgument {
  readonly argument: string;
  /** In the form of the fact `values`. */
  readonly values: readonly string[];
}

const SEPARATOR = "__";
const SERVER = /^(?=.{1,32}$)[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/;
const TOOL = /^[A-Za-z0-9_-]+$/;

export function mcpToolName(server: string, tool: string): string {
  return `${server}${SEPARATOR}${tool}`;
}

/** The name of the server as a capability, which operators enable and rules name as the action. */
export function mcpCapability(server: string): string {
  return `mcp_${server}`;
}

/**
 * INVARIANT: a name leads to exactly one server and one tool: a server's name neither contains two underscores in a row
 * nor ends with one, so it ends at the first two. Null if the name is not that of a server's tool.
 */
export function splitMcpToolName(name: string): { readonly server: string; readonly tool: string } | null {
  const at = name.indexOf(SEPARATOR);
  if (at <= 0) return null;
  const [server, tool] = [name.slice(0, at), name.slice(at + SEPARATOR.length)];
  return SERVER.test(server) && TOOL.test(tool) ? { server, tool } : null;
}

/** Whether models and clients accept the name of a tool as it is. */
export function isMcpToolName(tool: string): boolean {
  return TOOL.test(tool);
}

/** LIMIT: characters of a text that is a fact; a rule cannot name a longer one. */
const VALUE_CHARS = 256;

/**
 * The fact that an argument has this value; null if no rule can name the value. INVARIANT: two different arguments
 * never make the same text: what follows an equals sign within a JSON text is no JSON text.
 */
export function mcpValueText(name: string, value: unknown): string | null {
  const isNameable =
    typeof value === "boolean" ||
    Number.isSafeInteger(value) ||
    (typeof value === "string" && value.length <= VALUE_CHARS);
  return isNameable ? `${name}=${JSON.stringify(value)}` : null;
}

/** The entry as it is written. */
export function mcpGrantText({ server, tool, with: uses }: McpGrant): string {
  const shown = uses.map(({ values }) => values.join(" or "));
  return [mcpToolName(server, tool ?? "*"), ...(shown.length === 0 ? [] : [`with ${shown.join(" and ")}`])].join(" ");
}
