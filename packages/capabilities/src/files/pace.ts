/**
 * Lets an effect that looks at many bytes look at some of them at a time. INVARIANT: I9: whoever proposes chooses how long a
 * file is, and how many calls look at it at once; between two parts of it the other sessions have their turn.
 */
import { setImmediate } from "node:timers/promises";
import type { CapabilityCall } from "../capability.ts";

/** LIMIT: bytes that are looked at in one turn, which takes some hundred microseconds. */
export const PART_BYTES = 65_536;

/** LIMIT: names of a tree that are looked at in one turn; each is opened, looked at and decided on. */
export const NAMES_PER_TURN = 16;

type Paced = Pick<CapabilityCall, "turn" | "signal">;

/** Resolves when the call may go on, after whoever waits for the loop. Throws where nobody wants the call any more. */
export async function nextTurn(call: Paced): Promise<void> {
  await (call.turn() ?? setImmediate());
  call.signal.throwIfAborted();
}

export class Pace {
  readonly #call: Paced;
  #looked = 0;

  constructor(call: Paced) {
    this.#call = call;
  }

  /** So many bytes were looked at; resolves when more may be. */
  async looked(bytes: number): Promise<void> {
    this.#looked += bytes;
    if (this.#looked < PART_BYTES) return;
    this.#looked = 0;
    await nextTurn(this.#call);
  }
}
