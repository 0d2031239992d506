/** What the system writes of a process that crashes: mostly a file in its folder, which is the workspace where an operator starts a host. */
import { writeFileSync } from "node:fs";

/**
 * INVARIANT: I10: keys, stored secrets and what was read stay in memory. The kernel puts no page of this process into a core
 * file any more, wherever that goes, nor of what it starts, which inherits that.
 * LIMIT: registers and what the kernel tells of the process stand in it nevertheless, and so does memory that root copies.
 */
export function keepMemoryOutOfCoreFiles(): void {
  try {
    writeFileSync("/proc/self/coredump_filter", "0");
  } catch {
    // Another system, or one without /proc. What is written there is for its own settings to say.
  }
}
