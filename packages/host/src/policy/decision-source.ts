/**
 * Where past decisions are read from: the running host, the journal of a stopped host, or a log that is verified first.
 */

import type { LogVerdict, ReplayReader } from "@femtoclaw/journal";
import { TilesReader } from "@femtoclaw/journal";
import type { RecordedDecision } from "@femtoclaw/protocol";
import { recordedDecision } from "@femtoclaw/runtime/redecide";
import type { CommandContext } from "../commands/command-context.ts";
import { hostAnswers } from "../commands/host/host.ts";
import { exportOfHost } from "../log/host-export.ts";
import { readJournal } from "../log/read-journal.ts";
import { openVerifiedLog } from "../log/verified-log.ts";

export interface LogChoice {
  /** A log to read instead of the configured one. */
  readonly journal?: string;
  /** Text of the public key that must have signed it. */
  readonly key?: string;
}

/** The value read, or the verdict on a log that cannot be trusted. */
export type Read<T> = { readonly value: T } | { readonly refused: LogVerdict };

export async function readDecision(
  context: CommandContext,
  ref: string,
  choice: LogChoice,
): Promise<Read<RecordedDecision>> {
  if (choice.journal === undefined && (await hostAnswers(context))) {
    await using operator = await context.operator();
    return { value: await operator.decision(ref) };
  }
  return await withLog(context, choice, (log) => recordedDecision(log, ref));
}

export type DecisionReader = Pick<
  ReplayReader,
  "size" | "read" | "readBackwards" | "locate" | "withValues" | "prunedBefore"
>;

/** Lets `work` read the log, and closes it afterwards. */
export async function withLog<T>(
  context: CommandContext,
  { journal, key }: LogChoice,
  work: (log: DecisionReader) => Promise<T>,
): Promise<Read<T>> {
  if (journal !== undefined) {
    await using log = await openVerifiedLog(context, journal, key);
    const { verdict, prunedBefore, pinned } = log.verdict;
    // No decision is made again on a log that was tampered with. What is left of a pruned log is fine.
    const stands = (verdict === "verified" || prunedBefore > 0) && pinned !== "differs";
    return stands ? { value: await work(await log.reader()) } : { refused: log.verdict };
  }
  if (await hostAnswers(context)) {
    await using exported = await exportOfHost(context);
    await using reader = await TilesReader.open(exported.folder);
    return { value: await work(reader) };
  }
  await using opened = await readJournal(context.load().resolved.stateDirectory);
  return { value: await work(opened.reader) };
}
