/** An open terminal as operators see it. */
import type { ScrollPart, Terminal } from "@femtoclaw/capabilities";
import type { ProgramQuestion } from "@femtoclaw/protocol";
import type { Execution } from "../gate/execution.ts";

/** What an operator sees of a terminal. */
export interface TerminalStatus {
  /** Identifier of the terminal, which is that of the execution that opened it. */
  readonly id: string;
  readonly session: string;
  readonly principal: string;
  readonly program: string;
  readonly cols: number;
  readonly rows: number;
  readonly opened_at: string;
  readonly running: boolean;
  readonly exit_code: number | null;
  readonly signal: string | null;
  /** Bytes that were typed into it, that came out of it, and that wait for their reader. */
  readonly bytes_in: number;
  readonly bytes_out: number;
  readonly unread_bytes: number;
  /** Since its session used it last. */
  readonly idle_ms: number;
}

export type WatchedPart = ScrollPart & Pick<TerminalStatus, "cols" | "rows" | "running">;

/** What is told of a terminal. */
export interface ToldTerminal {
  readonly id: string;
  readonly terminal: Terminal;
  readonly opening: Execution;
  readonly question: ProgramQuestion;
  readonly openedAt: string;
  readonly usedUs: number;
}

export function statusOf(
  { id, terminal, opening, question, openedAt, usedUs }: ToldTerminal,
  monotonicUs: number,
): TerminalStatus {
  const { end, size, bytesIn, bytesOut, unreadBytes } = terminal;
  return {
    ...{ id, session: opening.session, principal: opening.actor.principal, program: question.program, ...size },
    ...{ opened_at: openedAt, running: end === null, exit_code: end?.exitCode ?? null, signal: end?.signal ?? null },
    ...{ bytes_in: bytesIn, bytes_out: bytesOut, unread_bytes: unreadBytes },
    idle_ms: Math.round((monotonicUs - usedUs) / 1_000),
  };
}
