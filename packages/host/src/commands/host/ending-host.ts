/** Tells the end of a host from a fault, for commands that follow a host and end with it. */
import { type ErrorCode, FemtoError } from "@femtoclaw/protocol";

const ENDING: ReadonlySet<ErrorCode> = new Set(["FEMTO_HOST_NOT_RUNNING", "FEMTO_DRAINING", "FEMTO_JOURNAL_CLOSED"]);

/** What such a command says then, because it would otherwise end without a word. */
export const HOST_ENDED = "the host has ended; start it with `femtoclaw up --detach`, then run this again";

/** Whether this is the error of a host that is ending or has ended. */
export function isHostEnding(error: unknown): boolean {
  return error instanceof FemtoError && ENDING.has(error.code);
}
