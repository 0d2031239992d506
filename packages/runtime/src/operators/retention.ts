/** What operators may remove from the journal: values that records commit to, and the oldest records. */
import {
  type Appended,
  type Clock,
  type ErasureRequest,
  type Journal,
  type JournalReader,
  planPruning,
} from "@femtoclaw/journal/live";
import { FemtoError, type Pruning, requireCount, requireFields, requireText } from "@femtoclaw/protocol";
import type { Projection } from "../projection/projection.ts";
import { operatorActor } from "./operator-actor.ts";

/** Which records to prune, from the first one on. */
export interface PruneRequest {
  /** Prunes records below this number, or those that are older than this. */
  readonly before: number | { readonly olderThanMs: number };
}

interface RetentionParts {
  readonly journal: Journal;
  readonly clock: Clock;
  /** The state according to the durable records. */
  projection(): Pick<Projection, "open" | "unresolved" | "questions">;
  /** Writes down beside the journal which boot is the last one, because the record of its start may be pruned. */
  remember(): Promise<void>;
}

/** Erases values and prunes records for an operator. Both actions are recorded themselves. */
export class Retention {
  readonly #parts: RetentionParts;

  constructor(parts: RetentionParts) {
    this.#parts = parts;
  }

  /**
   * Erases values that a record commits to, for good. Resolves with the record of the erasure once the values are in no
   * file any more. `by` names the operator.
   */
  async erase(request: Omit<ErasureRequest, "actor">, by: string): Promise<Appended> {
    requireFields("a request to erase", request);
    const { seq, path, reason } = request;
    requireCount("seq", seq);
    if (path !== undefined) requireText("path", path);
    requireText("reason", reason);
    const what = { seq, reason, ...(path === undefined ? {} : { path }) };
    return await this.#parts.journal.erase({ ...what, actor: operatorActor(by) });
  }

  /**
   * What `prune` would drop. Throws FEMTO_PRUNE_REFUSED if nothing may be pruned, or if an execution below the boundary
   * has no end or no known outcome, or is still asked about.
   */
  async planPruning(request: PruneRequest): Promise<Pruning> {
    const before = boundaryOf(request);
    const { journal, clock, projection } = this.#parts;
    const nowMs = clock.nowUs() / 1_000;
    const requested = typeof before === "number" ? before : await firstSince(journal, nowMs - before.olderThanMs);
    const pruning = await planPruning(journal, requested);
    const { open, unresolved, questions } = projection();
    for (const [execution, { intent }] of open) {
      if (intent < pruning.before) throw refused(`record ${intent} is the intent of ${execution}, which has not ended`);
    }
    for (const [execution, { seq }] of questions) {
      if (seq < pruning.before) throw refused(`record ${seq} is a question about ${execution}, which is still open`);
    }
    for (const [execution, { seq }] of unresolved) {
      if (seq >= pruning.before) continue;
      throw refused(`record ${seq} is of ${execution}, and nobody has resolved yet what became of it`);
    }
    return pruning;
  }

  /** Drops the oldest records for good. Resolves once they are gone. Throws FEMTO_PRUNE_REFUSED like `planPruning`. */
  async prune(request: PruneRequest, by: string): Promise<Pruning> {
    const pruning = await this.planPruning(request);
    // INVARIANT: I7: the next start has to find the boot that it knows, or it takes the log for an older copy.
    await this.#parts.remember();
    await this.#parts.journal.prune(pruning, operatorActor(by));
    return pruning;
  }
}

/** INVARIANT: nothing else than a number or an age is taken for one of them, because most of the log could be dropped. */
function boundaryOf(request: PruneRequest): PruneRequest["before"] {
  requireFields("a request to prune", request);
  const { before } = request;
  if (typeof before === "number") {
    requireCount("before", before);
    return before;
  }
  requireFields("`before`", before);
  const { olderThanMs } = before;
  requireCount("olderThanMs", olderThanMs);
  return { olderThanMs };
}

function refused(reason: string): FemtoError {
  return new FemtoError("FEMTO_PRUNE_REFUSED", reason);
}

/** The first record that was written at that time or later; the size of the log if there is none. */
async function firstSince(reader: JournalReader, sinceMs: number): Promise<number> {
  for await (const { seq, at } of reader.readFrom(await reader.prunedBefore())) {
    if (Date.parse(at) >= sinceMs) return seq;
  }
  return reader.size;
}
