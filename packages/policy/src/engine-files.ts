/** The files of the Cedar engine where npm put them: its WebAssembly, and the glue code around that. */
import { readFile } from "node:fs/promises";

type Glue = typeof import("@cedar-policy/cedar-wasm/web");

const GLUE_URL = import.meta.resolve("@cedar-policy/cedar-wasm/web");

/**
 * INVARIANT: I3: two engines never share one instance, because preparsed policies live in it under fixed names; so one
 * count serves the whole process. It begins anew in each, because compiled modules are kept by their address.
 */
const NUMBERS: Iterator<number, never> = (function* () {
  for (let number = 1; ; number += 1) yield number;
})();

export async function engineBytes(): Promise<Uint8Array> {
  return await readFile(new URL("cedar_wasm_bg.wasm", GLUE_URL));
}

/** Glue code that holds no instance yet. */
export async function freshGlue(): Promise<Glue> {
  // A query string makes Node evaluate the glue anew.
  return await import(`${GLUE_URL}?instance=${NUMBERS.next().value}`);
}
