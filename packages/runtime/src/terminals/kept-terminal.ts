/** One terminal that a runtime keeps: what is known of it, and what operators and the journal are told. */
import type { ScrollPart, Terminal } from "@femtoclaw/capabilities";
import {
  LIMITS,
  type ProgramQuestion,
  printable,
  type TerminalClosedBody,
  type TerminalStatus,
} from "@femtoclaw/protocol";
import type { Ending, Lease } from "./lease.ts";
import type { Recorder } from "./recorder.ts";

export type WatchedPart = ScrollPart & Pick<TerminalStatus, "cols" | "rows" | "running">;

export interface KeptTerminal extends Lease {
  readonly id: string;
  readonly terminal: Terminal;
  readonly question: ProgramQuestion;
  readonly openedAt: string;
  readonly recorder: Recorder;
  /** The record that says that it was opened. */
  readonly opened: number;
  usedUs: number;
  /** Why it is ended from here; null while it is not. */
  ending: Ending | null;
}

export function terminalStatus(
  { id, terminal, opening, question, openedAt, usedUs }: KeptTerminal,
  monotonicUs: number,
): TerminalStatus {
  const { end, size, bytesIn, bytesOut, unreadBytes } = terminal;
  return {
    id,
    session: opening.session,
    principal: opening.actor.principal,
    program: question.program,
    ...size,
    opened_at: openedAt,
    running: end === null,
    exit_code: end?.exitCode ?? null,
    signal: end?.signal ?? null,
    bytes_in: bytesIn,
    bytes_out: bytesOut,
    unread_bytes: unreadBytes,
    idle_ms: Math.round((monotonicUs - usedUs) / 1_000),
  };
}

const EXITED = { why: "exited", reason: "its program ended" } as const;

/** The body of the record that says how a terminal ended. */
export function closingOf({ terminal, recorder, opened, id, ending }: KeptTerminal): TerminalClosedBody {
  const { exitCode, signal, fault } = terminal.end ?? { exitCode: null, signal: null };
  const ended = fault === undefined ? EXITED : { why: "policy" as const, reason: printable(fault, LIMITS.reasonChars) };
  const { why, reason } = ending ?? ended;
  return {
    terminal: id,
    opened,
    why,
    reason,
    exit_code: exitCode,
    signal,
    bytes_in: terminal.bytesIn,
    bytes_out: terminal.bytesOut,
    unrecorded: recorder.unrecorded,
  };
}
