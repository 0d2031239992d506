/** The files of the Cedar engine as npm installed them: its WebAssembly, and the glue code around it. */
import { readFile } from "node:fs/promises";
import { setFlagsFromString } from "node:v8";
import { ENGINE_FLAGS, withHints } from "./engine-compilation.ts";

type Glue = typeof import("@cedar-policy/cedar-wasm/web");

const GLUE_URL = import.meta.resolve("@cedar-policy/cedar-wasm/web");

/**
 * INVARIANT: I3: two engines never share one instance, because preparsed policies live in the instance under fixed
 * names. So one counter serves the whole process. It starts anew in each process, so that compiled modules, which are
 * cached by their address, are found again.
 */
const NUMBERS: Iterator<number, never> = (function* () {
  for (let number = 1; ; number += 1) yield number;
})();

/** The engine as npm installed it. */
export async function installedEngine(): Promise<Uint8Array> {
  return await readFile(new URL("cedar_wasm_bg.wasm", GLUE_URL));
}

export async function engineBytes(): Promise<Uint8Array> {
  return withHints(await installedEngine());
}

/** Whether V8 has the engine's flags all the time. */
export const FLAGS_STAND = false;

/** V8's defaults for the same flags. */
const DEFAULT_FLAGS = ["--wasm-tiering-budget=13000000", "--no-experimental-wasm-compilation-hints"];

/**
 * Runs `compile` under the engine's flags. A module keeps the flags with which it was compiled. At all other times V8's
 * flags keep their defaults, because code compiled under other flags, such as that of Node.js, would be compiled again.
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
  // The query string makes Node evaluate the glue anew.
  return await import(`${GLUE_URL}?instance=${NUMBERS.next().value}`);
}
