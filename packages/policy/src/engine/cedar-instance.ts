/**
 * Instances of the Cedar engine in WebAssembly. An instance that trapped can never be used again, and its glue code
 * holds one instance for ever. So each instance comes with its own import of the glue module.
 */
import { engineBytes, freshGlue, underEngineFlags } from "#engine-files";

export type Cedar = typeof import("@cedar-policy/cedar-wasm/web");

/** An instance that costs next to nothing until it is started. Starting it takes about 10 ms and is synchronous. */
export interface SpareCedar {
  start(): Cedar;
}

/** The part of the global that is used here. Node's types leave its declaration to the browser's types. */
declare const WebAssembly: { compile(bytes: Uint8Array): Promise<object> };

let compiling: Promise<object> | null = null;

/** The returned function makes any number of separate instances of the engine, which is compiled only once. */
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

/** Lets other threads compile the engine. After a failure the next caller tries again. */
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
