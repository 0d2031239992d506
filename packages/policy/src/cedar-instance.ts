/**
 * Instances of the Cedar engine in WebAssembly. An instance that trapped can never be used again, and its
 * glue code holds one instance for ever; so each instance comes with a module import of its own.
 */
import { readFile } from "node:fs/promises";

export type Cedar = typeof import("@cedar-policy/cedar-wasm/web");

/** An instance that costs next to nothing until it is started; starting takes about 10 ms and never waits. */
export interface SpareCedar {
  start(): Cedar;
}

/** The part of the global that is used here; the types of Node leave it to the browser's. */
declare const WebAssembly: { compile(bytes: Uint8Array): Promise<object> };

const GLUE_URL = import.meta.resolve("@cedar-policy/cedar-wasm/web");

/**
 * INVARIANT: I3: two engines never share one instance, because preparsed policies live in it under fixed names; so one
 * count serves the whole process. It begins anew in each, because compiled modules are kept by their address.
 */
const NUMBERS: Iterator<number, never> = (function* () {
  for (let number = 1; ; number += 1) yield number;
})();

/** Compiles the engine once; what it returns makes any number of separate instances of it. */
export async function openCedar(): Promise<() => Promise<SpareCedar>> {
  const module = await WebAssembly.compile(await readFile(new URL("cedar_wasm_bg.wasm", GLUE_URL)));
  return async () => {
    // A query string makes Node evaluate the glue anew.
    const glue: Cedar = await import(`${GLUE_URL}?instance=${NUMBERS.next().value}`);
    return {
      start: () => {
        glue.initSync({ module });
        return glue;
      },
    };
  };
}
