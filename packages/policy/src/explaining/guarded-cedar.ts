/**
 * An instance of the engine for examining policies, separate from the one that decides. Rules from a record may be
 * anything, so an instance that threw on them is thrown away.
 */
import { errorText, FemtoError } from "@femtoclaw/protocol";
import { invalid } from "../engine/activation.ts";
import { type Cedar, openCedar, type SpareCedar } from "../engine/cedar-instance.ts";

export class GuardedCedar {
  readonly #spare: () => Promise<SpareCedar>;
  #cedar: Cedar | null = null;

  private constructor(spare: () => Promise<SpareCedar>) {
    this.#spare = spare;
  }

  static async open(): Promise<GuardedCedar> {
    return new GuardedCedar(await openCedar());
  }

  /** Returns what the work returns, or throws its fault. Throws FEMTO_POLICY_INVALID if the engine trapped. */
  async use<T>(work: (cedar: Cedar) => T): Promise<T> {
    this.#cedar ??= (await this.#spare()).start();
    try {
      return work(this.#cedar);
    } catch (error) {
      if (error instanceof FemtoError) throw error;
      // INVARIANT: an instance that threw once answers nothing any more, because a trap leaves its memory undefined.
      this.#cedar = null;
      throw invalid(`the decision engine failed on these rules: ${errorText(error)}`);
    }
  }
}
