/** The files of the Cedar engine in the standalone executable. */
import { compileFunction } from "node:vm";
import { asset, assetText } from "@femtoclaw/protocol/asset";

type Glue = typeof import("@cedar-policy/cedar-wasm/web");

let glue: string | null = null;

export async function engineBytes(): Promise<Uint8Array> {
  return asset("cedar.wasm");
}

/** INVARIANT: I3: two engines never share one instance, so the glue code that holds it is evaluated anew each time. */
export async function freshGlue(): Promise<Glue> {
  glue ??= assetText("cedar.cjs");
  const module = { exports: {} };
  compileFunction(glue, ["module"], { filename: "cedar.cjs" })(module);
  return module.exports as Glue;
}
