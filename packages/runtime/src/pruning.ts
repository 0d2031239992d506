/** Which records an operator's word may drop: a boundary from a number or an age, and what still needs them. */
import { type LogReader, type Pruning, planPruning } from "@femtoclaw/journal";
import { FemtoError } from "@femtoclaw/protocol";
import type { OpenExecution } from "./projection/execution-records.ts";

export interface PruneRequest {
  /** Records below this number go, or those that are older than this. */
  readonly before: number | { readonly olderThanMs: number };
}

/** Throws FEMTO_PRUNE_REFUSED when nothing may go, or an execution without an end begins below the boundary. */
export async function pruningOf(
  reader: LogReader,
  open: ReadonlyMap<string, OpenExecution>,
  { before }: PruneRequest,
  nowMs: number,
): Promise<Pruning> {
  const requested = typeof before === "number" ? before : await firstSince(reader, nowMs - before.olderThanMs);
  const pruning = await planPruning(reader, requested);
  for (const [execution, { intent }] of open) {
    if (intent >= pruning.before) continue;
    const reason = `record ${intent} is the intent of execution ${execution}, which has not ended`;
    throw new FemtoError("FEMTO_PRUNE_REFUSED", reason);
  }
  return pruning;
}

/** The first record that was written at that time or later. */
async function firstSince(reader: LogReader, sinceMs: number): Promise<number> {
  for await (const { seq, at } of reader.readFrom(await reader.prunedBefore())) {
    if (Date.parse(at) >= sinceMs) return seq;
  }
  return reader.size;
}
