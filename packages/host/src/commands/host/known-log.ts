/** What is remembered of the log, whether the log fits it, and how to forget it. */
import type { MetLog, OperatorClient, RememberedLog } from "@femtoclaw/client";
import { EXIT, FemtoError } from "@femtoclaw/protocol";
import type { CommandContext, Placed } from "../command-context.ts";

/** A log, compared with what was seen of it before. `fault` says why it does not fit. */
export type HeldLog = { readonly met: MetLog; readonly fault: null } | { readonly fault: FemtoError };

const SAYS_NOTHING: ReadonlySet<string> = new Set(["FEMTO_HOST_NOT_RUNNING", "FEMTO_HOST_SILENT"]);

export async function holdLog(context: CommandContext, operator: OperatorClient, host: Placed): Promise<HeldLog> {
  try {
    return { met: await operator.meetLog(context.logMemory(host)), fault: null };
  } catch (error) {
    // A host that does not answer is no evidence about its log.
    if (!(error instanceof FemtoError) || SAYS_NOTHING.has(error.code)) throw error;
    return { fault: error };
  }
}

export function heldText(held: HeldLog): string {
  if (held.fault !== null) return held.fault.message;
  const { before, now } = held.met;
  if (before === null) return `${now.size} records, seen for the first time now`;
  return `${rememberedText(before)}; the log continues them up to ${now.size}`;
}

export function rememberedText({ size, seenAt }: RememberedLog): string {
  return `${size} records, seen at ${seenAt}`;
}

/**
 * For an owner who discarded the log or restored a backup. The host is not asked, because it is the one that would gain
 * from it.
 */
export async function forgetLog(context: CommandContext): Promise<number> {
  const { resolved } = context.load();
  const { output } = context;
  // A client of the library knows the host by the folder of its sockets.
  const places = [resolved.stateDirectory, resolved.runtimeDirectory];
  const forgotten: string[] = [];
  for (const place of places) if (await context.logMemoryAt(place).forget()) forgotten.push(place);
  if (output.json) output.value({ forgotten });
  else if (forgotten.length === 0) output.line("nothing was remembered");
  for (const place of output.json ? [] : forgotten) output.prose(`forgot what was seen of the log at ${place}`);
  return EXIT.ok;
}
