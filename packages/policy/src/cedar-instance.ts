/**
 * Instances of the Cedar engine in WebAssembly. An instance that trapped can never be used again, and its
 * glue code holds one instance for ever; so each instance comes with a module import of its own.
 */
import { engineBytes, freshGlue, underEngineFlags } from "#engine-files";

export type Cedar = typeof import("@cedar-policy/cedar-wasm/web");

/** An instance that costs next to nothing until it is started; starting takes about 10 ms and never waits. */
export interface SpareCedar {
  start(): Cedar;
}

/** The part of the global that is used here; the types of Node leave it to the browser's. */
declare const WebAssembly: { compile(bytes: Uint8Array): Promise<object> };

let compiling: Promise<object> | null = null;

/** What it returns makes any number of separate instances of the engine, which this thread compiles once. */
export async function openCedar(): Promise<() => Promise<SpareCedar>> {
  const module = await compiledEngine();
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

/** Other threads compile it. Where that failed, the next caller tries again. */
export function compiledEngine(): Promise<object> {
  compiling ??= compile().catch((error: unknown) => {
    compiling = null;
    throw error;
  });
  return compiling;
}

async function compile(): Promise<object> {
  const bytes = await engineBytes();
  // V8's threads do not keep the process alive; this timer does until they are done.
  const waiting = setInterval(() => undefined, 60_000);
  try {
    return await underEngineFlags(() => WebAssembly.compile(bytes));
  } finally {
    clearInterval(waiting);
  }
}
