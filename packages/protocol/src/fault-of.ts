/**
 * Turns anything that was thrown into a fault with a code. What a full disk or missing rights refuse is not a fault of
 * FemtoClaw.
 */
import { errorText, FemtoError, systemErrorCode } from "./errors.ts";

const ROOM = "Free space on the disk that it writes to, then run it again.";
const RIGHTS = "Let this user read and write what it names, or name another place, then run it again.";
/** Errors with which a system refuses even a correct program, and what to do about them. */
const REFUSALS: Readonly<Record<string, string>> = {
  ENOSPC: ROOM,
  EDQUOT: ROOM,
  EROFS: RIGHTS,
  EACCES: RIGHTS,
  EPERM: RIGHTS,
  EIO: "Look into the log of the kernel what is wrong with the disk, and repair it.",
  EMFILE: "Let this user have more files open (`ulimit -n`), then run it again.",
  ENFILE: "End what else has files open on this machine, then run it again.",
};

export function faultOf(error: unknown): FemtoError {
  if (error instanceof FemtoError) return error;
  const fix = REFUSALS[systemErrorCode(error) ?? ""];
  if (fix === undefined) return new FemtoError("FEMTO_INTERNAL", errorText(error), { cause: error });
  return new FemtoError("FEMTO_SURROUNDINGS", errorText(error), { fix, cause: error });
}
