/** Whether anything exists at a path. A link counts, wherever it leads. */
import { lstat } from "node:fs/promises";
import { systemErrorCode } from "@femtoclaw/protocol";

export async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return false;
    throw error;
  }
}
