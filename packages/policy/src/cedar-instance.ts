/**
 * Instances of the Cedar engine in WebAssembly. An instance that trapped can never be used again, and its
 * glue code holds one instance for ever; so each instance comes with a module import of its own.
 */
import { setFlagsFromString } from "node:v8";
import { engineBytes, freshGlue } from "#engine-files";
import { HINTS, HINTS_AT } from "./generated/engine-hints.ts";

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

/**
 * V8's flags while the engine is compiled. By default V8 optimizes most of the engine while a start asks its first questions,
 * on threads that cost the start a fifth of a second of processor time. With this budget a function has to run sixteen times
 * as often before it is optimized, which none does in a start with few rules; after ten thousand decisions there is no
 * difference. Functions that a start calls are compiled together with the module, on other threads. The compilation hints
 * that ask for this are still a proposal of WebAssembly, and are enabled for this module alone.
 *
 * A module keeps the flags with which it was compiled. At any other time V8's flags are left as they are, because code that
 * was compiled under other flags, that of Node.js among it, would be compiled again.
 */
const COMPILING_FLAGS = ["--wasm-tiering-budget=200000000", "--experimental-wasm-compilation-hints"];
/** The same flags as V8 has them by default. */
const DEFAULT_FLAGS = ["--wasm-tiering-budget=13000000", "--no-experimental-wasm-compilation-hints"];

async function compiled(bytes: Uint8Array): Promise<object> {
  const hinted = Buffer.concat([bytes.subarray(0, HINTS_AT), Buffer.from(HINTS, "base64"), bytes.subarray(HINTS_AT)]);
  for (const flag of COMPILING_FLAGS) setFlagsFromString(flag);
  // V8's threads do not keep the process alive; this timer does until they are done.
  const waiting = setInterval(() => undefined, 60_000);
  try {
    return await WebAssembly.compile(hinted);
  } finally {
    clearInterval(waiting);
    for (const flag of DEFAULT_FLAGS) setFlagsFromString(flag);
  }
}
