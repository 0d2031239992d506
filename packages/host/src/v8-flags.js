// @ts-check
/** How V8 runs the command and the executable. Plain JavaScript: it is read before anything is kept. */

/**
 * What WebAssembly runs before V8 compiles it a second time, and better. By its own choice, an eighth of this, it does so
 * to most of the policy engine while a start asks it its first questions, on threads that take a fifth of a second of
 * processor time from the start. After ten thousand decisions it is all the same.
 */
export const V8_FLAGS = ["--wasm-tiering-budget=100000000"];
