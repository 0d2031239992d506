/** The effect as a peer's step performs it: nobody decides about it, and nothing confines it. */
import { execFile } from "node:child_process";
import { stat } from "node:fs/promises";
import { promisify } from "node:util";
import type { ToolCall } from "./system.ts";

/** A peer stores the result, so it has to be JSON. */
export async function perform(call: ToolCall): Promise<Record<string, number>> {
  if (call.tool === "fs_stat") {
    const { size, mtimeMs } = await stat(call.args.path);
    return { size, mtime_ms: mtimeMs };
  }
  await promisify(execFile)(call.args.bin, call.args.argv);
  return { exit_code: 0 };
}
