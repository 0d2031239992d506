/**
 * Instances of the Cedar engine in WebAssembly. An instance that trapped can never be used again, and its
 * glue code holds one instance for ever; so each instance comes with a module import of its own.
 */
import { setFlagsFromString } from "node:v8";
import { engineBytes, freshGlue } from "#engine-files";

export type Cedar = typeof import("@cedar-policy/cedar-wasm/web");

/** An instance that costs next to nothing until it is started; starting takes about 10 ms and never waits. */
export interface SpareCedar {
  start(): Cedar;
}

/** The part of the global that is used here; the types of Node leave it to the browser's. */
declare const WebAssembly: { compile(bytes: Uint8Array): Promise<object> };

/** Compiles the engine once; what it returns makes any number of separate instances of it. */
export async function openCedar(): Promise<() => Promise<SpareCedar>> {
  const module = await compiled(await engineBytes());
  return async () => {
    const glue: Cedar = await freshGlue();
    return {
      start: () => {
        glue.initSync({ module });
        return glue;
      },
    };
  };
}

/** What a function of WebAssembly runs before V8 compiles it a second time, and better; and what it is by V8's own choice. */
const TIERING_BUDGET = 100_000_000;
const TIERING_BUDGET_OF_V8 = 13_000_000;

/**
 * By its own choice V8 compiles most of the engine a second time while a start asks it its first questions, on threads that
 * take a fifth of a second of processor time from the start. After ten thousand decisions it is all the same.
 *
 * A module takes the budget over when it is compiled. Outside of that moment V8's flags are left alone, because code that was
 * compiled before, that of Node.js among it, is good for one set of flags, and is compiled anew under another.
 */
async function compiled(bytes: Uint8Array): Promise<object> {
  setFlagsFromString(`--wasm-tiering-budget=${TIERING_BUDGET}`);
  try {
    return await WebAssembly.compile(bytes);
  } finally {
    setFlagsFromString(`--wasm-tiering-budget=${TIERING_BUDGET_OF_V8}`);
  }
}
