/**
 * Lets an effect that looks at many bytes look at some of them at a time. INVARIANT: I9: whoever proposes chooses how long a
 * file is, and how many calls look at it at once; between two parts of it the other sessions have their turn.
 */
import type { CapabilityCall } from "../capability.ts";

/** LIMIT: bytes that are looked at in one turn, which takes some hundred microseconds. */
export const PART_BYTES = 65_536;

export class Pace {
  readonly #call: Pick<CapabilityCall, "turn" | "signal">;
  #looked = 0;

  constructor(call: Pick<CapabilityCall, "turn" | "signal">) {
    this.#call = call;
  }

  /** So many bytes were looked at; resolves when more may be. Throws where nobody wants it any more. */
  async looked(bytes: number): Promise<void> {
    this.#looked += bytes;
    if (this.#looked < PART_BYTES) return;
    this.#looked = 0;
    this.#call.signal.throwIfAborted();
    await this.#call.turn();
  }
}
