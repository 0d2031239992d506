/**
 * An export made by the running host. A host holds its journal open, so other readers can only read what the host
 * exports.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@femtoclaw/journal/live";
import { errorText, FemtoError } from "@femtoclaw/protocol";
import type { CommandContext } from "../commands/command-context.ts";

export interface HostExport extends AsyncDisposable {
  readonly folder: string;
}

/** The running host's log as a folder of tiles with its values, not verified. Disposing of the result deletes it. */
export async function exportOfHost(context: CommandContext): Promise<HostExport> {
  // A host under systemd has a /tmp of its own and cannot write to ours. It shares the state directory with its
  // operator.
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
  // The log itself is fine, but it cannot be exported while the host has it open.
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
    // Whether the log continues from what was seen of it is for the verification to check.
    await using operator = await context.unprovedOperator();
    await operator.exportLog({ format: "tiles", out: folder, values: true });
    return { folder, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
