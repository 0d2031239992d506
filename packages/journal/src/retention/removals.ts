/** Takes values and old records out of the store, one removal after the other, each with the record that tells of it. */
import { FemtoError } from "@femtoclaw/protocol";
import type { Appended } from "../journal-options.ts";
import type { JournalStore } from "../store/store.ts";
import type { PlannedRemoval } from "./erasure.ts";

export interface RemovalsParts {
  readonly store: Pick<JournalStore, "purge">;
  /** Appends the record and removes what it tells of, in one step of the store. */
  append(planned: PlannedRemoval): Promise<Appended>;
  checkpoint(): Promise<string>;
}

export class Removals {
  readonly #parts: RemovalsParts;
  /** Settles when the last removal so far is done, or has failed. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: RemovalsParts) {
    this.#parts = parts;
  }

  /**
   * Plans a removal once the one before it is done, and carries it out; resolves when what was removed lies in no file.
   * INVARIANT: I7: nothing is removed between the plan and its record. Otherwise two records could tell of the same
   * value, of which one would be wrong, or the boundary of a pruned log would move back.
   */
  inTurn(plan: () => Promise<PlannedRemoval>): Promise<Appended> {
    const removal = this.#last.then(async () => this.#remove(await plan()));
    this.#last = removal.catch(() => undefined);
    return removal;
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
      // The store makes room on a full disk for a write alone. A checkpoint is one; after it the purge finds room.
      await checkpoint();
      await store.purge();
    }
  }
}
