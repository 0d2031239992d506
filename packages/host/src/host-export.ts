/** A host holds its journal open, so whoever reads it besides reads what the host hands out: an export. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@femtoclaw/journal/live";
import { FemtoError } from "@femtoclaw/protocol";
import type { CommandContext } from "./commands/command-context.ts";

export interface HostExport extends AsyncDisposable {
  readonly folder: string;
}

/** The log of the running host as a folder of tiles with its values beside it, read without trusting it; it goes when it is disposed of. */
export async function exportOfHost(context: CommandContext): Promise<HostExport> {
  const temporary = await temporaryFolder("femtoclaw-audit-");
  const remove = (): Promise<void> => rm(temporary, { recursive: true, force: true });
  const folder = join(temporary, "log");
  try {
    // Whether the log goes on from what was seen of it is found out by whoever verifies it.
    await using operator = await context.unprovedOperator();
    await operator.exportLog("tiles", folder, true);
    return { folder, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    if (!(error instanceof FemtoError) || error.code !== "FEMTO_EXPORT_FAILED") throw error;
    // Nothing is wrong with the log; it only cannot be handed out whole while the host has it open.
    const reason = `the log cannot be read while the host has it open: ${error.message}`;
    throw new FemtoError("FEMTO_JOURNAL_LOCKED", reason, {
      fix: "Run `femtoclaw down`, then the same command again.",
      cause: error,
    });
  }
}
