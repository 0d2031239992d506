/** Names the process of a host that takes connections and says nothing, so that nobody has to look for it. */
import { readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { ERRORS, FemtoError } from "@femtoclaw/protocol";
import type { CommandContext } from "../command-context.ts";

/**
 * The error as it was, if the process cannot be found: on another system, or for another user. Also if the error says
 * already what to do, because then it names the process itself.
 */
export function withProcess(error: FemtoError, context: CommandContext): FemtoError {
  if (error.fix !== ERRORS.FEMTO_HOST_SILENT.fix) return error;
  try {
    const pid = holderOf(join(context.load().resolved.stateDirectory, "journal", "LOCK"));
    return pid === undefined ? error : named(error, pid);
  } catch {
    return error;
  }
}

function named({ code, message, cause }: FemtoError, pid: number): FemtoError {
  const isStopped = /\) [Tt] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  const end = `\`kill -KILL ${pid}\`, and start the host with \`femtoclaw up --detach\``;
  const fix = isStopped
    ? `Continue it with \`kill -CONT ${pid}\`, or end it with ${end}.`
    : `Wait if the machine is busy. Otherwise end it with ${end}.`;
  return new FemtoError(
    code,
    `${message}; it is process ${pid}, which ${isStopped ? "is stopped" : "hangs or is overloaded"}`,
    {
      fix: `${fix} This loses nothing that was answered.`,
      cause,
    },
  );
}

/** The kernel lists who locked which inode. Inodes of two disks may be equal, so the process has to have the file open. */
function holderOf(lock: string): number | undefined {
  const path = realpathSync(lock);
  const { ino } = statSync(path);
  return readFileSync("/proc/locks", "latin1")
    .split("\n")
    .map((line) => /^\d+: POSIX +\S+ +WRITE (\d+) [^ ]+:(\d+) /.exec(line))
    .filter((found) => found?.[2] === String(ino))
    .map((found) => Number(found?.[1]))
    .find((pid) => hasOpen(pid, path));
}

function hasOpen(pid: number, path: string): boolean {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).some((descriptor) => linkOf(join(folder, descriptor)) === path);
}

/** Null for a descriptor that was closed in the meantime. */
function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}
