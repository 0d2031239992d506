/**
 * Which processes run an executable of an installation. Only the kernel is asked, and nothing that anybody configured.
 */
import { readdirSync, readlinkSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { systemErrorCode } from "@femtoclaw/protocol";

/**
 * Whether another process runs a program in the folder, as far as this user can see: users see their own processes, and
 * root sees all. True if the system does not tell.
 */
export function isAnyRun(folder: string): boolean {
  const within = `${realpathSync.native(folder)}/`;
  const numbers = process.platform === "linux" ? readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name)) : [];
  const own = String(process.pid);
  return !numbers.includes(own) || numbers.some((name) => name !== own && programOf(name).startsWith(within));
}

/**
 * Path of the executable of a process; empty for a thread of the kernel, for a process that is gone, and for one of
 * another user.
 */
function programOf(process: string): string {
  try {
    return readlinkSync(join("/proc", process, "exe"));
  } catch (error) {
    if (["ENOENT", "ESRCH", "EACCES", "EPERM"].includes(systemErrorCode(error) ?? "")) return "";
    throw error;
  }
}
