/** How verbs check the fields of their requests. */
import { FemtoError, printable } from "@femtoclaw/protocol";
import type { WatchRequest } from "@femtoclaw/runtime";

type Fields = Readonly<Record<string, unknown>>;

/** LIMIT: time that one answer waits for something new to tell. */
const WAIT_MS = 10_000;

export function refuseUnknown(rest: Fields): void {
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw invalid(`unknown field \`${printable(unknown, 64)}\``);
}

export function invalid(reason: string): FemtoError {
  return new FemtoError("FEMTO_SOCKET_REQUEST", reason);
}

export function isCount(value: unknown, max = Number.MAX_SAFE_INTEGER): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= max;
}

export function isPositive(value: unknown, max?: number): value is number {
  return isCount(value, max) && value >= 1;
}

/** The time that the client wants to wait. */
export function waitedMs(wait: unknown): number {
  if (!isCount(wait, WAIT_MS)) throw invalid(`\`wait_ms\` must be an integer from 0 to ${WAIT_MS}`);
  return wait;
}

/**
 * Reads which output is asked for. A reader asks for what is there, and waits for more; nothing is sent to it unasked.
 */
export function watchRequest(execution: string, { from, wait_ms, ...rest }: Fields): [WatchRequest, rest: Fields] {
  if (!isCount(from)) throw invalid("`from` must be a number of bytes");
  return [{ execution, from, waitMs: waitedMs(wait_ms) }, rest];
}
