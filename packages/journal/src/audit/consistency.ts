/** Proves to the holder of an older checkpoint that the log continues from it. */
import type { LogReader } from "../journal-reader.ts";
import { consistencyProof, rootOf } from "../tree/proof.ts";
import { hashReader } from "./inclusion.ts";

/** The hashes that lead from the tree of the old size to that of the new size; none if the old tree is empty. */
export async function proveConsistency(
  reader: LogReader,
  oldSize: number,
  size: number,
): Promise<readonly Uint8Array[]> {
  return oldSize === 0 ? [] : await consistencyProof(oldSize, size, hashReader(reader));
}

/** Whether the log begins with the tree that a checkpoint names. */
export async function beginsWith(
  reader: Pick<LogReader, "size" | "hashes">,
  { size, root }: { readonly size: number; readonly root: Uint8Array },
): Promise<boolean> {
  return size <= reader.size && Buffer.compare(await rootOf(size, hashReader(reader)), root) === 0;
}
