/** A host holds its journal open, so whoever reads it besides reads what the host hands out: an export. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@femtoclaw/journal/live";
import { errorText, FemtoError } from "@femtoclaw/protocol";
import type { CommandContext } from "./commands/command-context.ts";

export interface HostExport extends AsyncDisposable {
  readonly folder: string;
}

/** The log of the running host as a folder of tiles with its values beside it, read without trusting it; it goes when it is disposed of. */
export async function exportOfHost(context: CommandContext): Promise<HostExport> {
  // A host under systemd has a /tmp of its own, and sees none of ours; the folder of its state it shares with its operator.
  const places = [
    () => temporaryFolder("femtoclaw-audit-"),
    () => temporaryFolder(".femtoclaw-audit-", context.load().resolved.stateDirectory),
  ];
  let fault: unknown;
  for (const place of places) {
    try {
      return await exportTo(context, await place());
    } catch (error) {
      if (!(error instanceof FemtoError) || error.code !== "FEMTO_EXPORT_FAILED") throw error;
      fault ??= error;
    }
  }
  // Nothing is wrong with the log; it only cannot be handed out whole while the host has it open.
  const reason = `the log cannot be read while the host has it open: ${errorText(fault)}`;
  throw new FemtoError("FEMTO_JOURNAL_LOCKED", reason, {
    fix: "Run `femtoclaw down`, then the same command again.",
    cause: fault,
  });
}

async function exportTo(context: CommandContext, temporary: string): Promise<HostExport> {
  const remove = (): Promise<void> => rm(temporary, { recursive: true, force: true });
  const folder = join(temporary, "log");
  try {
    // Whether the log goes on from what was seen of it is found out by whoever verifies it.
    await using operator = await context.unprovedOperator();
    await operator.exportLog("tiles", folder, true);
    return { folder, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
