/**
 * What travels on the host's sockets: one JSON object per line. A protocol message travels as base64 inside its
 * request, so that the validator sees exactly the bytes that the proposer sent.
 */
import type { ErrorCode } from "../faults/errors.ts";
import type { CapabilityManifest } from "../generated/types.ts";
import type { McpContent } from "../mcp/mcp-content.ts";

export type AgentVerb =
  | "introduce"
  | "propose"
  | "watch"
  | "changes"
  | "unsubscribe"
  | "answer"
  | "wait"
  | "cancel"
  | "tools"
  | "log.follow";

export interface SocketError {
  readonly code: ErrorCode;
  readonly reason: string;
  readonly fix: string;
}

export type SocketResponse =
  | { readonly id: number | null; readonly ok: true; readonly value: unknown }
  | { readonly id: number | null; readonly ok: false; readonly error: SocketError };

/** Names of the two sockets in the runtime directory. */
export const SOCKET_NAMES = { agent: "agent.sock", operator: "operator.sock" } as const;

/** The socket of the agent that `[agent.NAME]` is about. A client that connects there is that agent. */
export function agentSocketName(agent: string): string {
  return `agent-${agent}.sock`;
}

/** From one signed checkpoint of the log to a later one. Hashes and the record are base64. */
export interface LogStep {
  /** The signed note that the step leads to. */
  readonly checkpoint: string;
  /** RFC 9162 consistency proof from the size before; empty if that size is 0. */
  readonly consistency: readonly string[];
  /** The record that names the next key, proved in the tree that the previous key has signed. */
  readonly rotation?: { readonly seq: number; readonly record: string; readonly inclusion: readonly string[] };
}

/** The open questions, and the place at which the next request should begin. */
export interface WatchedQuestions {
  readonly next: number;
  /** Oldest first, with the number of operators who have said yes; null if nothing changed. */
  readonly open: readonly { readonly id: string; readonly granted: number }[] | null;
}

/**
 * How the log went on from a size that a client named. If the last step has a rotation, more steps have to be asked
 * for.
 */
export interface LogContinuation {
  /** The first public key of the log, after which the log is named. */
  readonly first_key: string;
  readonly steps: readonly LogStep[];
}

/** A tool as an agent sees it. */
export interface ToolDescription {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly output: Readonly<Record<string, unknown>>;
  readonly effect: CapabilityManifest["effect"];
  readonly idempotent: boolean;
  /** For the tools that read resources or get prompts of an MCP server: the resources or prompts that rules permit. */
  readonly offers?: readonly McpContent[];
}
