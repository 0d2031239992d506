/**
 * Core files: what the system writes about a process that crashes. Mostly they go to the process's folder, which is the
 * workspace if an operator starts a host there.
 */
import { writeFileSync } from "node:fs";

/**
 * INVARIANT: I10: keys, stored secrets and what was read stay in memory. From now on the kernel writes no page of this
 * process into a core file, wherever that goes, nor of its children, which inherit the setting. LIMIT: a core file
 * still contains registers and what the kernel knows about the process, and root can always copy memory.
 */
export function keepMemoryOutOfCoreFiles(): void {
  try {
    writeFileSync("/proc/self/coredump_filter", "0");
  } catch {
    // This is another system, or one without /proc. What it writes to core files is up to its own settings.
  }
}
