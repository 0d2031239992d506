/**
 * What an MCP server says beside the answer to a call: how far it is, and lines of its log. It is a stranger's text, told
 * to whoever made the call as such, and to nobody else.
 */

/** From the least to the most severe, as MCP names them. */
import type { UpstreamQuestions } from "./mcp-questions.ts";

/** From the least to the most severe, as MCP names them. */
export const LOG_LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type UpstreamNotice =
  | {
      readonly kind: "progress";
      readonly server: string;
      readonly progress: number;
      /** Null where it does not say how far it has to go. */
      readonly total: number | null;
      readonly message: string | null;
    }
  | {
      readonly kind: "log";
      readonly server: string;
      readonly level: LogLevel;
      readonly logger: string | null;
      readonly text: string;
    }
  | {
      readonly kind: "question";
      readonly server: string;
      /** Names it in the answer. */
      readonly question: string;
      readonly questions: UpstreamQuestions;
    };

export function isLogLevel(value: unknown): value is LogLevel {
  return LOG_LEVELS.some((level) => level === value);
}

/** Whether what is logged at a level is told to whoever asked for another one; to who asked for none nothing is. */
export function isLogged(level: LogLevel, asked: LogLevel | null): boolean {
  return asked !== null && LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(asked);
}

/** One line for whoever looks on. INVARIANT: I8: it begins with whose word it is, which nothing behind it can be taken for. */
export function noticeText(notice: UpstreamNotice): string {
  const whose = `[MCP server ${notice.server}]`;
  if (notice.kind === "log") {
    return `${whose} ${notice.level}${notice.logger === null ? "" : ` (${notice.logger})`}: ${notice.text}`;
  }
  if (notice.kind === "question") {
    const asked = Object.values(notice.questions).map(({ kind }) => kind);
    return `${whose} asks its client for ${asked.join(", ")}`;
  }
  const { progress, total, message } = notice;
  return `${whose} progress ${progress}${total === null ? "" : ` of ${total}`}${message === null ? "" : `: ${message}`}`;
}
