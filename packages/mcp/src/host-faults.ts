/** The faults of a session whose client or host left during a call. */
import { FemtoError } from "@femtoclaw/protocol";

export function unwanted(): never {
  throw new FemtoError("FEMTO_EXECUTION_HALTED", "its client cancelled it before it was proposed");
}

/** Whether asking again later may succeed. */
export function isAway(error: unknown): boolean {
  return error instanceof FemtoError && (error.code === "FEMTO_HOST_NOT_RUNNING" || error.code === "FEMTO_DRAINING");
}

export function outcomeUnknown(error: unknown): FemtoError {
  const reason = error instanceof FemtoError ? error.message : String(error);
  const fix =
    "The host ended while the call was under way, so the call may or may not have been executed. Check what it would have changed before you send it again.";
  return new FemtoError("FEMTO_HOST_NOT_RUNNING", reason, { fix, cause: error });
}
