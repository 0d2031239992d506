/**
 * Reads what an MCP server sends beside its answers. A stranger sent it: only known fields are taken, made plain and
 * cut.
 */
import {
  type AskKind,
  holdsInexact,
  isLogLevel,
  LIMITS,
  LOG_LEVELS,
  type LogLevel,
  printable,
  type UpstreamNotice,
  type UpstreamQuestions,
  visibleJson,
} from "@femtoclaw/protocol";
import type { SandboxView } from "@femtoclaw/sandbox";
import type { JsonObject } from "../capability.ts";
import type { ContentDefinition } from "./content-definition.ts";

export const PROGRESS = "notifications/progress";
/** The notification with a line of the server's log. */
export const MESSAGE = "notifications/message";
/** The notification that a resource has changed. */
export const UPDATED = "notifications/resources/updated";
export const ACKNOWLEDGED = "notifications/subscriptions/acknowledged";
/** Names the listening request to which a notification belongs. */
export const SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId";

/** What one call learns of its server beside the answer. */
export interface CallRelay {
  /** The session that calls. INVARIANT: I8: a session is told nothing that belongs to no call of its own. */
  readonly caller: string;
  /** The least severe log level that it wants to receive; null for no log at all. */
  readonly logLevel: LogLevel | null;
  notice(notice: UpstreamNotice): void;
  /** The kinds of questions that its client can answer. */
  readonly canAnswer: readonly AskKind[];
  /**
   * Asks the client that made the call. Returns the answers by the names of the questions, recorded as the client's.
   * Throws if the signal aborts before they come.
   */
  ask(server: string, questions: UpstreamQuestions, signal: AbortSignal): Promise<Record<string, JsonObject>>;
  /**
   * Subscribes the session to a resource, which is decided like reading it; throws the reason if that is not possible.
   */
  subscribe(request: SubscriptionRequest): Promise<void>;
}

/** The resource to subscribe to, and its server. */
export interface SubscriptionRequest {
  readonly server: string;
  /** The offered resource or template to which the URI belongs. */
  readonly definition: ContentDefinition;
  readonly uri: string;
  readonly view: SandboxView | null;
  readonly signal: AbortSignal;
}

/** Null if it is no known notice. */
export function noticeIn(server: string, method: string, params: unknown): UpstreamNotice | null {
  const members = Object(params) as Readonly<Record<string, unknown>>;
  if (method === PROGRESS) return progressIn(server, members);
  return method === MESSAGE ? messageIn(server, members) : null;
}

function progressIn(server: string, { progress, total, message }: Readonly<Record<string, unknown>>) {
  if (!isCount(progress)) return null;
  const said = typeof message === "string" && message !== "" ? printable(message, LIMITS.progressChars) : null;
  return { kind: "progress", server, progress, total: isCount(total) ? total : null, message: said } as const;
}

function messageIn(server: string, { level, logger, data }: Readonly<Record<string, unknown>>) {
  if (!isLogLevel(level) || data === undefined) return null;
  const named = typeof logger === "string" && logger !== "" ? printable(logger, 64) : null;
  const plain = holdsInexact(data) ? "(data with a number that cannot be held exactly)" : data;
  const text = typeof plain === "string" ? plain : visibleJson(plain);
  return { kind: "log", server, level, logger: named, text: printable(text, LIMITS.noticeChars) } as const;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

/** The level that lets more through. */
export function lowerLevel(left: LogLevel | null, right: LogLevel): LogLevel {
  return left === null || LOG_LEVELS.indexOf(right) < LOG_LEVELS.indexOf(left) ? right : left;
}
