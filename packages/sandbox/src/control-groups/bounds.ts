/** How this machine keeps children within their limits, for people to read. */

import type { Rung } from "../probing/rung.ts";
import type { ControlGroups } from "./control-groups.ts";

export interface Bounds {
  /** What enforces the limits of memory and processes. */
  readonly by: string;
  /** Whether the kernel counts the use of all processes of a child together. */
  readonly wholly: boolean;
  /** What nothing limits. */
  readonly lacks: readonly string[];
}

const FILES = "the bytes of all files together that a child writes to folders granted for writing";
const MEMORY = "the memory of all processes of a child together: each may reserve four times the limit";
/** The kernel charges a process for writable memory of its own; memory that can be shared is charged to nobody. */
const SHARED = "memory that a child's processes can share: files in memory (memfd), shared mappings, System V segments";
const OF_MACOS = [
  "the memory of a child, for which macOS has no limit that holds",
  "the number of a child's processes apart from those that the host's user begins meanwhile",
];
/** The kernel exempts root from its count of a user's processes. */
const PROCESSES = "the number of a child's processes, because the host is root and can make no control groups";

export function boundsBy(
  groups: Pick<ControlGroups, "name" | "sharesProcessor"> | null,
  isRoot: boolean,
  rung: Rung["name"] = "bubblewrap",
): Bounds {
  if (groups !== null) {
    const processor = groups.sharesProcessor ? [] : ["the share of the processor that all children have"];
    return { by: groups.name, wholly: true, lacks: [FILES, ...processor] };
  }
  if (rung === "seatbelt") return { by: "limits of each process", wholly: false, lacks: [...OF_MACOS, FILES] };
  const lacks = [...(isRoot ? [PROCESSES] : []), MEMORY, SHARED, FILES];
  return { by: "limits of each process", wholly: false, lacks };
}
