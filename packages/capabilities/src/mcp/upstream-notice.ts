/** What an MCP server sends beside its answers, read as what a stranger sends: of each the fields that are known, plain and cut. */
import {
  type AskKind,
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
/** Notification by which a server says a line of its log. */
export const MESSAGE = "notifications/message";
/** Notification by which a server says that a resource changed. */
export const UPDATED = "notifications/resources/updated";
export const ACKNOWLEDGED = "notifications/subscriptions/acknowledged";
/** Names the request by which somebody listens, in what is said because of it. */
export const SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId";

/** What one call is told of its server beside the answer. */
export interface CallRelay {
  /** Whose call it is. INVARIANT: I8: what belongs to no call of a caller is not told to it. */
  readonly caller: string;
  /** What of the server's log it wants to be told; null for nothing. */
  readonly logLevel: LogLevel | null;
  notice(notice: UpstreamNotice): void;
  /** What its client can answer. */
  readonly canAnswer: readonly AskKind[];
  /**
   * Asks whoever made the call; the answers by the names of the questions, recorded as the client's. Throws where none
   * comes while the signal has not aborted.
   */
  ask(server: string, questions: UpstreamQuestions, signal: AbortSignal): Promise<Record<string, JsonObject>>;
  /** Subscribes its session to a resource, which was decided like reading it; throws what keeps it from that. */
  subscribe(request: SubscriptionRequest): Promise<void>;
}

/** Which resource of which server is subscribed to. */
export interface SubscriptionRequest {
  readonly server: string;
  /** What of the server's offer the uri is one of. */
  readonly definition: ContentDefinition;
  readonly uri: string;
  readonly view: SandboxView | null;
  readonly signal: AbortSignal;
}

/** Null for what is no notice. */
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
  const text = typeof data === "string" ? data : visibleJson(data);
  return { kind: "log", server, level, logger: named, text: printable(text, LIMITS.noticeChars) } as const;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

/** The more talkative of two levels. */
export function lowerLevel(left: LogLevel | null, right: LogLevel): LogLevel {
  return left === null || LOG_LEVELS.indexOf(right) < LOG_LEVELS.indexOf(left) ? right : left;
}
