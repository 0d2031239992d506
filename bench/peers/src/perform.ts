/** The effect, as a peer's step does it: nobody decides on it, and nothing holds it. */
import { execFile } from "node:child_process";
import { stat } from "node:fs/promises";
import { promisify } from "node:util";
import type { ToolCall } from "./system.ts";

/** A peer keeps the result, so it has the form of JSON. */
export async function perform(call: ToolCall): Promise<Record<string, number>> {
  if (call.tool === "fs_stat") {
    const { size, mtimeMs } = await stat(call.args.path);
    return { size, mtime_ms: mtimeMs };
  }
  await promisify(execFile)(call.args.bin, call.args.argv);
  return { exit_code: 0 };
}
