/** Ensures that only one start at a time examines a state directory and decides what to do with it. */
import { join } from "node:path";
import { errorText, FemtoError, isOutOfRoom, outOfRoom, printable, systemErrorCode } from "@femtoclaw/protocol";
import { lockFile } from "../state-directory/file-lock.ts";

const CLAIM_LOCK_FILE = "claim.lock";

/** Held until disposed of. Throws FEMTO_JOURNAL_LOCKED at once if another start holds it. */
export function lockClaim(root: string): Disposable {
  const path = join(root, CLAIM_LOCK_FILE);
  const lock = lockable(path);
  if (lock === null) throw new FemtoError("FEMTO_JOURNAL_LOCKED", `another start claims ${printable(root)}`);
  return lock;
}

function lockable(path: string): Disposable | null {
  try {
    return lockFile(path);
  } catch (error) {
    const reason = `${printable(path)} cannot be locked: ${systemErrorCode(error) ?? errorText(error)}`;
    if (isOutOfRoom(error)) throw outOfRoom(reason, error);
    const fix = "Make sure that it is an empty file of this user. You can remove it while nothing runs.";
    throw new FemtoError("FEMTO_JOURNAL_WRITE_FAILED", reason, { fix, cause: error });
  }
}
