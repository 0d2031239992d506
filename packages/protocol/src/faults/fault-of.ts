/**
 * Turns anything that was thrown into a fault with a code. What a full disk or missing rights refuse is not a fault of
 * FemtoClaw.
 */
import { errorText, FemtoError, systemErrorCode } from "./errors.ts";

const ROOM = "Free space on the disk that it writes to, then run the command again.";
const RIGHTS = "Give this user access to what it names, or name another path, then run the command again.";
/** Errors with which a system refuses even a correct program, and what to do about them. */
const REFUSALS: Readonly<Record<string, string>> = {
  ENOSPC: ROOM,
  EDQUOT: ROOM,
  EROFS: RIGHTS,
  EACCES: RIGHTS,
  EPERM: RIGHTS,
  EIO: "Read in the kernel log what is wrong with the disk, and repair it.",
  EMFILE: "Raise the limit of open files of this user (`ulimit -n`), then run the command again.",
  ENFILE: "Stop other programs that have many files open on this machine, then run the command again.",
};

export function faultOf(error: unknown): FemtoError {
  if (error instanceof FemtoError) return error;
  const fix = REFUSALS[systemErrorCode(error) ?? ""];
  if (fix === undefined) return new FemtoError("FEMTO_INTERNAL", errorText(error), { cause: error });
  return new FemtoError("FEMTO_SURROUNDINGS", errorText(error), { fix, cause: error });
}

/**
 * Whether a second name for a file was refused, most likely because its file system, such as FAT, has none to give. The
 * kernel also answers EPERM for a file of another user, so this is a reason to do without the name, and no proof.
 */
export function hasNoHardLinks(error: unknown): boolean {
  return /^(?:EPERM|ENOTSUP|EOPNOTSUPP|ENOSYS|EMLINK)$/.test(systemErrorCode(error) ?? "");
}

/** Whether a file system has no bytes left, or no inodes: it says the same of both. */
export function isOutOfRoom(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT"].includes(systemErrorCode(error) ?? "");
}

/** The fault of a file of the state directory, for a start, a fork and a restore, which have no call to send again. */
export function outOfRoom(reason: string, cause: unknown): FemtoError {
  const fix = "Free space on that disk, and inodes if `df -i` shows that none are left. Or use another disk.";
  return new FemtoError("FEMTO_DISK_FULL", reason, { fix, cause });
}
