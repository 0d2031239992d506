/** How V8 is to compile the engine. */
import { HINTS, HINTS_AT } from "./generated/engine-hints.ts";

/**
 * By default V8 optimizes most of the engine while a start asks its first questions, on threads that cost the start a fifth of
 * a second of processor time. With this budget a function has to run sixty-four times as often before it is optimized. A
 * quarter of it was not enough: the few functions that parse rules are so large that each loop in them uses up much of the
 * budget. A decision that is not remembered takes up to 30 % longer until its functions are optimized, which is after some
 * 80,000 decisions as far as was measured at an eighth of the budget. The compilation hints, which have V8 compile what a start
 * calls together with the module, are still a proposal of WebAssembly.
 */
export const ENGINE_FLAGS: readonly string[] = [
  "--wasm-tiering-budget=800000000",
  "--experimental-wasm-compilation-hints",
];

/** The engine as it is installed, with the hints put into it. */
export function withHints(engine: Uint8Array): Uint8Array {
  return Buffer.concat([engine.subarray(0, HINTS_AT), Buffer.from(HINTS, "base64"), engine.subarray(HINTS_AT)]);
}
