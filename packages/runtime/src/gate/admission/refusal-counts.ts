/** Counts calls that were refused without a record of their own, by the error code of the answer. */
import type { ErrorCode } from "@femtoclaw/protocol";

/** Codes of refusals before the gate that are counted. FEMTO_DRAINING is left out: a host that stops refuses every call. */
const COUNTED: ReadonlySet<ErrorCode> = new Set([
  ...(["FEMTO_OVERLOADED", "FEMTO_DISK_FULL", "FEMTO_UNWITNESSED"] as const),
  ...(["FEMTO_SESSION_QUOTA", "FEMTO_SESSION_HALTED"] as const),
]);

export class RefusalCounts {
  #counts = new Map<ErrorCode, number>();

  /** Counts a call that did not enter the gate. */
  notTaken(code: ErrorCode): void {
    if (COUNTED.has(code)) this.add(code);
  }

  add(code: ErrorCode): void {
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
  }

  /** What was counted since the last call of this method. */
  takeAll(): ReadonlyMap<ErrorCode, number> {
    const counts = this.#counts;
    this.#counts = new Map();
    return counts;
  }
}
