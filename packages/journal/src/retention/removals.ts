/**
 * Removes values and old records from the store, one removal after the other, each with the record that reports it.
 */
import { FemtoError } from "@femtoclaw/protocol";
import type { Appended } from "../journal-options.ts";
import { OneByOne } from "../one-by-one.ts";
import type { JournalStore } from "../store/store.ts";
import type { PlannedRemoval } from "./erasure.ts";

interface RemovalsParts {
  readonly store: Pick<JournalStore, "purge">;
  /** Appends the record and removes what it reports, in one step of the store. */
  append(planned: PlannedRemoval): Promise<Appended>;
  checkpoint(): Promise<string>;
}

export class Removals {
  readonly #parts: RemovalsParts;
  readonly #removals = new OneByOne();

  constructor(parts: RemovalsParts) {
    this.#parts = parts;
  }

  /**
   * Plans a removal once the one before it is done, and carries it out. Resolves when no file holds what was removed.
   * INVARIANT: I7: nothing is removed between the plan and its record. Otherwise two records could report the same
   * value, one of them wrongly, or the boundary of a pruned log could move back.
   */
  inTurn(plan: () => Promise<PlannedRemoval>): Promise<Appended> {
    return this.#removals.run(async () => this.#remove(await plan()));
  }

  async #remove(planned: PlannedRemoval): Promise<Appended> {
    const appended = await this.#parts.append(planned);
    await this.#purge();
    return appended;
  }

  async #purge(): Promise<void> {
    const { store, checkpoint } = this.#parts;
    try {
      await store.purge();
    } catch (error) {
      if (!(error instanceof FemtoError && error.code === "FEMTO_DISK_FULL")) throw error;
      // On a full disk the store makes room only for an append. The checkpoint is one, and after it the purge has room.
      await checkpoint();
      await store.purge();
    }
  }
}
