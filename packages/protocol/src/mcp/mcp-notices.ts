/**
 * What an MCP server says besides the answer to a call: its progress, and lines of its log. This is a stranger's text.
 * It is passed on as such, only to the client that made the call.
 */
import type { UpstreamQuestions } from "./mcp-questions.ts";

/** From the least to the most severe, as MCP names them. */
export const LOG_LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type UpstreamNotice =
  | {
      readonly kind: "progress";
      readonly server: string;
      readonly progress: number;
      /** Null if the server does not say how far it has to go. */
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
      /** Identifies the question in the answer. */
      readonly question: string;
      readonly questions: UpstreamQuestions;
    };

export function isLogLevel(value: unknown): value is LogLevel {
  return LOG_LEVELS.some((level) => level === value);
}

/**
 * Whether a line of this level is passed on to a client that asked for level `asked`. Nothing is passed on if the
 * client asked for none.
 */
export function isLogged(level: LogLevel, asked: LogLevel | null): boolean {
  return asked !== null && LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(asked);
}

/**
 * One line for those who watch. INVARIANT: I8: the line begins with its author, and nothing after that can be mistaken
 * for one.
 */
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
