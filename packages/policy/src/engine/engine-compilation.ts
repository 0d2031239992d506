/** How V8 compiles the engine. */
import { HINTS, HINTS_AT } from "../generated/engine-hints.ts";

/**
 * By default V8 optimizes most of the engine while a start asks its first questions, on threads that cost the start a
 * fifth of a second of processor time. With this budget a function has to run sixty-four times as often before it is
 * optimized. A quarter of this budget was not enough: the few functions that parse rules are so large that each of
 * their loops uses up much of it. An uncached decision takes up to 30 % longer until its functions are optimized, which
 * happens after some 80,000 decisions, as measured at an eighth of the budget. The compilation hints make V8 compile
 * the functions that a start calls together with the module; they are still a WebAssembly proposal.
 */
export const ENGINE_FLAGS: readonly string[] = [
  "--wasm-tiering-budget=800000000",
  "--experimental-wasm-compilation-hints",
];

/** The engine as installed, with the hints inserted. */
export function withHints(engine: Uint8Array): Uint8Array {
  return Buffer.concat([engine.subarray(0, HINTS_AT), Buffer.from(HINTS, "base64"), engine.subarray(HINTS_AT)]);
}
