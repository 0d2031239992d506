/** The files of the Cedar engine in the standalone executable. */
import { compileFunction } from "node:vm";
import { asset, assetText } from "@femtoclaw/protocol/asset";

type Glue = typeof import("@cedar-policy/cedar-wasm/web");

let glue: string | null = null;

/** The build has inserted the hints already. */
export async function engineBytes(): Promise<Uint8Array> {
  return asset("cedar.wasm");
}

/** The executable runs under the engine's flags from its start, and its own code was compiled for them. */
export const FLAGS_STAND = true;

export async function underEngineFlags<T>(compile: () => Promise<T>): Promise<T> {
  return await compile();
}

/**
 * INVARIANT: I3: two engines never share one instance, so the glue code that holds the instance is evaluated anew each
 * time.
 */
export async function freshGlue(): Promise<Glue> {
  glue ??= assetText("cedar.cjs");
  const module = { exports: {} };
  compileFunction(glue, ["module"], { filename: "cedar.cjs" })(module);
  return module.exports as Glue;
}
