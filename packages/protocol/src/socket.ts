/**
 * What travels on the host's sockets: one JSON object a line. A protocol message travels as base64
 * inside its request, so that the validator sees the very bytes that the proposer sent.
 */
import type { ErrorCode } from "./errors.ts";

export type AgentVerb = "propose" | "cancel" | "tools";

export type OperatorVerb =
  | "status"
  | "stop"
  | "capabilities.list"
  | "capabilities.enable"
  | "capabilities.disable"
  | "executions.list"
  | "executions.show"
  | "audit.prove"
  | "audit.checkpoint"
  | "audit.checkpoints"
  | "audit.export"
  | "audit.erase"
  | "audit.prune"
  | "keys.show"
  | "keys.rotate"
  | "policy.show"
  | "replay";

export interface SocketRequest {
  readonly id: number;
  readonly verb: AgentVerb | OperatorVerb;
  readonly [field: string]: unknown;
}

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

/** A tool as an agent sees it. */
export interface ToolDescription {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly output: Readonly<Record<string, unknown>>;
}
