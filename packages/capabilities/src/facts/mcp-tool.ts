/**
 * Turns the arguments of a call to an MCP server's tool into facts: which are there, and the values that rules can
 * name.
 */
import {
  type DeclaredMcpTool,
  type McpToolQuestion,
  mcpValueText,
  PROMPT_GET,
  RESOURCE_READ,
  uriFolders,
} from "@femtoclaw/protocol";
import type { JsonObject } from "../capability.ts";
import { Refusal } from "./refusal.ts";

/** LIMIT: arguments at the top level of one call, and characters of an argument's name. */
const ARGUMENTS = 64;
const NAME_CHARS = 128;

export function resolveMcpTool(declared: DeclaredMcpTool, args: JsonObject): McpToolQuestion {
  const { server, tool, definition, destructive = false } = declared;
  if (tool === undefined || definition === undefined) throw new Refusal("no tool of the MCP server is named");
  const shown = tool === PROMPT_GET ? promptArguments(args) : args;
  const names = Object.keys(shown).sort();
  if (names.length > ARGUMENTS) throw new Refusal(`the call has more than ${ARGUMENTS} arguments`);
  if (names.some((name) => name.length > NAME_CHARS)) {
    throw new Refusal(`the name of an argument has more than ${NAME_CHARS} characters`);
  }
  const texts = names.map((name) => mcpValueText(name, shown[name]));
  const folders = tool === RESOURCE_READ && typeof args["uri"] === "string" ? uriFolders(args["uri"]) : [];
  return {
    kind: "mcp_tool",
    server,
    tool,
    definition,
    destructive,
    arguments: names,
    values: [...texts, ...folders.map((folder) => mcpValueText("uri", folder))].filter((text) => text !== null).sort(),
    // INVARIANT: a rule can tell that a value is there, even if it cannot compare it.
    opaque: names.filter((_, index) => texts[index] === null),
  };
}

/** Rules name the arguments of a prompt as `arguments.NAME`. */
function promptArguments({ arguments: given, ...others }: JsonObject): JsonObject {
  const entries = typeof given === "object" && given !== null ? Object.entries(given) : [];
  return { ...others, ...Object.fromEntries(entries.map(([name, value]) => [`arguments.${name}`, value])) };
}
