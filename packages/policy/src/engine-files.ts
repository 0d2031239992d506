/** The files of the Cedar engine where npm put them: its WebAssembly, and the glue code around that. */
import { readFile } from "node:fs/promises";
import { setFlagsFromString } from "node:v8";
import { ENGINE_FLAGS, withHints } from "./engine-compilation.ts";

type Glue = typeof import("@cedar-policy/cedar-wasm/web");

const GLUE_URL = import.meta.resolve("@cedar-policy/cedar-wasm/web");

/**
 * INVARIANT: I3: two engines never share one instance, because preparsed policies live in it under fixed names; so one
 * count serves the whole process. It begins anew in each, because compiled modules are kept by their address.
 */
const NUMBERS: Iterator<number, never> = (function* () {
  for (let number = 1; ; number += 1) yield number;
})();

/** As npm put it there. */
export async function installedEngine(): Promise<Uint8Array> {
  return await readFile(new URL("cedar_wasm_bg.wasm", GLUE_URL));
}

export async function engineBytes(): Promise<Uint8Array> {
  return withHints(await installedEngine());
}

/** Whether V8 has the engine's flags all the time. */
export const FLAGS_STAND = false;

/** The same flags as V8 has them by default. */
const DEFAULT_FLAGS = ["--wasm-tiering-budget=13000000", "--no-experimental-wasm-compilation-hints"];

/**
 * A module keeps the flags with which it was compiled. At any other time V8's flags are left as they are, because code that
 * was compiled under other flags, that of Node.js among it, would be compiled again.
 */
export async function underEngineFlags<T>(compile: () => Promise<T>): Promise<T> {
  for (const flag of ENGINE_FLAGS) setFlagsFromString(flag);
  try {
    return await compile();
  } finally {
    for (const flag of DEFAULT_FLAGS) setFlagsFromString(flag);
  }
}

/** Glue code that holds no instance yet. */
export async function freshGlue(): Promise<Glue> {
  // A query string makes Node evaluate the glue anew.
  return await import(`${GLUE_URL}?instance=${NUMBERS.next().value}`);
}
