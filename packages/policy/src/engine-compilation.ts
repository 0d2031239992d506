/** How V8 is to compile the engine. */
import { HINTS, HINTS_AT } from "./generated/engine-hints.ts";

/**
 * By its own choice V8 compiles most of the engine a second time while a start asks it its first questions, on threads that
 * take a fifth of a second of processor time from the start. So a function has to run sixty-four times as much before that:
 * with a quarter of it, V8 still did so to what reads rules, whose few functions are so large that each turn in them counts
 * for many. Until then a decision that is not remembered takes up to 30 % longer, some 80,000 of them as far as was measured at
 * an eighth of it. And what a start calls is compiled with the module, on other threads. The hints that say so are a proposal
 * still.
 */
export const ENGINE_FLAGS: readonly string[] = [
  "--wasm-tiering-budget=800000000",
  "--experimental-wasm-compilation-hints",
];

/** The engine as it is installed, with the hints put into it. */
export function withHints(engine: Uint8Array): Uint8Array {
  return Buffer.concat([engine.subarray(0, HINTS_AT), Buffer.from(HINTS, "base64"), engine.subarray(HINTS_AT)]);
}
