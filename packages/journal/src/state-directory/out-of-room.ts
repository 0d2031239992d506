/** What a disk without room means for a file of the state directory that has to be made or written. */
import { FemtoError, systemErrorCode } from "@femtoclaw/protocol";

/** A file system says the same whether it has no bytes left or no inodes. */
const FIX = "Free space on that disk, and inodes if `df -i` shows that none are left. Or use another disk.";

export function isOutOfRoom(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT"].includes(systemErrorCode(error) ?? "");
}

/** There may be no call that could be sent again: a start, a fork and a restore write such files as well. */
export function outOfRoom(reason: string, cause: unknown): FemtoError {
  return new FemtoError("FEMTO_DISK_FULL", reason, { fix: FIX, cause });
}
