/**
 * Decides about a tool that an agent is about to use: only tools of the host may run, and only while the host answers.
 */
import { Buffer } from "node:buffer";
import type { AgentClient } from "@femtoclaw/client";
import { FemtoError, type JsonValue, LIMITS, parseStrictJson, printable } from "@femtoclaw/protocol";
import type { HookKind } from "./hook-command.ts";

/**
 * LIMIT: bytes that an agent tells about one call: the largest arguments that the host takes, and what surrounds them.
 */
export const INPUT_BYTES_MAX = 4 * LIMITS.messageBytes;

/** LIMIT: characters of a blocked call in its record. */
const RECORDED_CHARS = 2_000;

/**
 * Agents put this before the names of a server's tools. It contains the name of the server from what `mcp
 * --print-config` prints.
 */
const PREFIX = "mcp__femtoclaw__";
const WAIT_TOOL = "femtoclaw_wait";

export type HookVerdict = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

/**
 * INVARIANT: I3: a tool is blocked if the input cannot be read, if it does not have the name of a tool of the host, or
 * if no host answers. Allowing a tool here permits nothing: the host decides about its call like about every other.
 * Which program serves the tool cannot be told from here; the guide says what keeps another server from taking the
 * host's name.
 */
export async function judgeTool(
  kind: HookKind,
  input: Uint8Array,
  connect: () => Promise<AgentClient>,
): Promise<HookVerdict> {
  const { tool, args } = readInput(input);
  await using client = await connect();
  const names = [...(await client.tools()).map(({ name }) => name), WAIT_TOOL];
  const own = ownName(kind, tool);
  if (own !== null && names.includes(own)) return { allowed: true };
  const shown = printable(tool, 128);
  await recordAttempt(
    client,
    `${kind} wanted to use its own tool ${shown}, and was blocked: ${printable(args, RECORDED_CHARS)}`,
  );
  const reason = `femtoclaw: the tool ${shown} is blocked, because only tools of FemtoClaw may be used here; use one of ${names.join(", ")}`;
  return { allowed: false, reason };
}

function ownName(kind: HookKind, tool: string): string | null {
  // pi has no MCP: its extension registers the tools under their own names.
  if (kind === "pi") return tool;
  return tool.startsWith(PREFIX) ? tool.slice(PREFIX.length) : null;
}

function readInput(input: Uint8Array): { readonly tool: string; readonly args: string } {
  const limits = { bytes: INPUT_BYTES_MAX, depth: 64, nodes: LIMITS.jsonNodes };
  const parsed = parseStrictJson(input, limits);
  if (!parsed.ok) throw malformed(parsed.fault.reason);
  const { hook_event_name: event, tool_name: tool, tool_input: args = null } = membersOf(parsed.value);
  if (event !== "PreToolUse") throw malformed("it is not about a tool that is to be used");
  if (typeof tool !== "string" || tool === "") throw malformed("it names no tool");
  return { tool, args: JSON.stringify(args) };
}

function membersOf(value: JsonValue): Readonly<Record<string, JsonValue | undefined>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed("it is no object");
  return value as Readonly<Record<string, JsonValue | undefined>>;
}

function malformed(reason: string): FemtoError {
  return new FemtoError("FEMTO_USAGE", `what the agent told cannot be read: ${reason}`);
}

/** Records what an agent tried. If that fails, the tool is blocked all the same. */
async function recordAttempt(client: AgentClient, content: string): Promise<void> {
  await client.propose(Buffer.from(JSON.stringify({ message: { content } }))).catch(() => undefined);
}
