/** By what children are kept within their limits on this machine, for people to read. */
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

export function boundsBy(
  groups: Pick<ControlGroups, "name" | "sharesProcessor"> | null,
  isRoot = process.getuid?.() === 0,
): Bounds {
  if (groups !== null) {
    const processor = groups.sharesProcessor ? [] : ["the share of the processor that all children have"];
    return { by: groups.name, wholly: true, lacks: [FILES, ...processor] };
  }
  const processes = isRoot
    ? ["processes: they are counted, and a child with too many is killed, but no fork fails"]
    : [];
  const memory = "the memory of all processes of a child together: each may have its limit";
  return { by: "limits of each process", wholly: false, lacks: [memory, ...processes, FILES] };
}
