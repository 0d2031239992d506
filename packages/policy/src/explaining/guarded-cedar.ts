/**
 * An instance of the engine for looking at policies, apart from the one that decides. Rules that come from
 * a record may be anything, so an instance that threw on them is thrown away.
 */
import { errorText, FemtoError } from "@femtoclaw/protocol";
import { invalid } from "../activation.ts";
import { type Cedar, openCedar, type SpareCedar } from "../cedar-instance.ts";

export class GuardedCedar {
  readonly #spare: () => Promise<SpareCedar>;
  #cedar: Cedar | null = null;

  private constructor(spare: () => Promise<SpareCedar>) {
    this.#spare = spare;
  }

  static async open(): Promise<GuardedCedar> {
    return new GuardedCedar(await openCedar());
  }

  /** What the work returns or the fault that it throws; FEMTO_POLICY_INVALID when the engine trapped on it. */
  async use<T>(work: (cedar: Cedar) => T): Promise<T> {
    this.#cedar ??= (await this.#spare()).start();
    try {
      return work(this.#cedar);
    } catch (error) {
      if (error instanceof FemtoError) throw error;
      // INVARIANT: an instance that threw once answers nothing any more; a trap leaves its memory undefined.
      this.#cedar = null;
      throw invalid(`the decision engine failed on these rules: ${errorText(error)}`);
    }
  }
}
