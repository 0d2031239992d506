/**
 * Divides an effect that reads many bytes into parts. INVARIANT: I9: agents choose how long a file is, and how many
 * calls read it at once; between two parts, other sessions have their turn.
 */
import { setImmediate } from "node:timers/promises";
import type { CapabilityCall } from "../capability.ts";

/** LIMIT: bytes processed in one turn, which takes some hundred microseconds. */
export const PART_BYTES = 65_536;

/** LIMIT: names of a tree examined in one turn; each is opened, examined and decided on. */
export const NAMES_PER_TURN = 16;

type Paced = Pick<CapabilityCall, "turn" | "signal">;

/**
 * Resolves when the call may go on, after those who wait for the event loop. Throws if nobody wants the call any more.
 */
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

  /** Reports processed bytes; resolves when more may be processed. */
  async looked(bytes: number): Promise<void> {
    this.#looked += bytes;
    if (this.#looked < PART_BYTES) return;
    this.#looked = 0;
    await nextTurn(this.#call);
  }
}
