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
 * By its own choice V8 compiles most of the engine a second time while a start asks it its first questions, on threads that
 * take a fifth of a second of processor time from the start. So a function has to run sixty-four times as much before that:
 * with a quarter of it, V8 still did so to what reads rules, whose few functions are so large that each turn in them counts
 * for many. Until then a decision that is not remembered takes up to 30 % longer, some 80,000 of them as far as was measured at
 * an eighth of it. And what a start calls is compiled with the module, on other threads. The hints that say so are a proposal
 * still, and on for this module alone.
 *
 * A module takes these over when it is compiled. Outside of that moment V8's flags are left alone, because code that was
 * compiled before, that of Node.js among it, is good for one set of flags, and is compiled anew under another.
 */
const COMPILING = ["--wasm-tiering-budget=800000000", "--experimental-wasm-compilation-hints"];
/** The same flags by V8's own choice. */
const ELSE = ["--wasm-tiering-budget=13000000", "--no-experimental-wasm-compilation-hints"];

async function compiled(bytes: Uint8Array): Promise<object> {
  const hinted = Buffer.concat([bytes.subarray(0, HINTS_AT), Buffer.from(HINTS, "base64"), bytes.subarray(HINTS_AT)]);
  for (const flag of COMPILING) setFlagsFromString(flag);
  // Threads that compile keep no process from its end.
  const waiting = setInterval(() => undefined, 60_000);
  try {
    return await WebAssembly.compile(hinted);
  } finally {
    clearInterval(waiting);
    for (const flag of ELSE) setFlagsFromString(flag);
  }
}
