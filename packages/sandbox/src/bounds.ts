/** By what children are kept within their limits on this machine, for people to read. */
import { FemtoError } from "@femtoclaw/protocol";
import type { ControlGroups } from "./control-groups.ts";

export interface Bounds {
  /** What holds memory and processes. */
  readonly by: string;
  /** Whether the kernel counts what a child uses in all. */
  readonly wholly: boolean;
  /** What nothing holds. */
  readonly lacks: readonly string[];
}

const FILES = "the bytes of all files together that a child writes to folders granted for writing";

/** INVARIANT: the kernel exempts root from its count of processes, so without control groups root starts no program. */
export function boundsBy(groups: Pick<ControlGroups, "name" | "sharesProcessor"> | null, isRoot: boolean): Bounds {
  if (groups !== null) {
    const processor = groups.sharesProcessor ? [] : ["the share of the processor that all children have"];
    return { by: groups.name, wholly: true, lacks: [FILES, ...processor] };
  }
  if (isRoot) {
    const reason = "nothing would bound the processes of a program: the host is root, and can make no control groups";
    throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", reason, {
      fix: "Run the host as a user of its own, or let it write to its control group.",
    });
  }
  const memory = "the memory of all processes of a child together: each may reserve four times the limit";
  return { by: "limits of each process", wholly: false, lacks: [memory, FILES] };
}
