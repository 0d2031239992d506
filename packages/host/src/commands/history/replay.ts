/** `replay`: the state of every actor after any record, as the records tell it. Nothing here runs an effect. */
import { type LogVerdict, proveSnapshot, type SnapshotProof } from "@femtoclaw/journal";
import { EXIT, printable } from "@femtoclaw/protocol";
import { firstState, type Recomputation, type Replay, recompute, replay, replayDifference } from "@femtoclaw/runtime";
import { readJournal } from "../../log/read-journal.ts";
import { openVerifiedLog, type VerifiedLog } from "../../log/verified-log.ts";
import { actorLines, differenceLines, recomputationLines } from "../../terminal/replay-text.ts";
import { exitOf, fileText, verdictLines } from "../audit/audit.ts";
import type { CommandContext } from "../command-context.ts";
import { hostAnswers } from "../host/host.ts";

export interface ReplayOptions {
  readonly to?: number;
  /** The last record that a stored snapshot covers. */
  readonly from?: number;
  readonly recompute?: boolean;
  readonly key?: string;
}

export async function replayHistory(
  context: CommandContext,
  path: string | undefined,
  options: ReplayOptions,
): Promise<number> {
  if (path === undefined && options.from === undefined && options.recompute !== true && options.key === undefined) {
    return await replayConfigured(context, options);
  }
  const say = await replayVerified(context, path, options);
  return say();
}

/**
 * Prints the findings and returns the exit code. Called after the log is closed, because the reader of the output may
 * go away at any line.
 */
type Say = () => number;

async function replayVerified(context: CommandContext, path: string | undefined, options: ReplayOptions): Promise<Say> {
  await using log = await openVerifiedLog(context, path, keyOf(options));
  const headMissing = log.verdict.verdict === "incomplete" && options.from !== undefined;
  if (!stands(log.verdict) && !headMissing) return () => refused(context, log.verdict);
  const to = options.to === undefined ? {} : { to: options.to };
  if (options.from !== undefined) return await replayFrom(context, log, options.from, to);
  const reader = await log.reader();
  if (options.recompute === true) {
    const first = await firstState(reader, options.to);
    if (first !== null) return await replayFrom(context, log, first.seq, to);
    const found = await recompute(reader, to);
    return () => tell(context, log.verdict, found);
  }
  const replayed = await replay(reader, to);
  return () => show(context, stateOf(replayed), exitOf(log.verdict, []));
}

/** Shows how the states after two records differ. */
export async function diffHistory(
  context: CommandContext,
  between: readonly [number, number],
  path: string | undefined,
  options: Pick<ReplayOptions, "key">,
): Promise<number> {
  const say = await diffVerified(context, between, path, options);
  return say();
}

async function diffVerified(
  context: CommandContext,
  [from, to]: readonly [number, number],
  path: string | undefined,
  options: Pick<ReplayOptions, "key">,
): Promise<Say> {
  await using log = await openVerifiedLog(context, path, keyOf(options));
  if (!stands(log.verdict)) return () => refused(context, log.verdict);
  const differences = await replayDifference(await log.reader(), from, to);
  const { output } = context;
  return () => {
    if (output.json) output.value({ from, to, differences });
    else {
      const changed = differences.length === 0 ? "no actor changed" : "what changed";
      output.line(`${changed} from record ${from} to record ${to}`);
      for (const line of differenceLines(differences, output)) output.prose(line);
    }
    return exitOf(log.verdict, []);
  };
}

function keyOf({ key }: Pick<ReplayOptions, "key">): string | undefined {
  return key === undefined ? undefined : fileText(key);
}

/**
 * Whether there is something to replay: a log that was tampered with is not folded, but what is left of a pruned one
 * is.
 */
function stands({ verdict, pinned, prunedBefore }: LogVerdict): boolean {
  return (verdict === "verified" || prunedBefore > 0) && pinned !== "differs";
}

function refused(context: CommandContext, verdict: LogVerdict): number {
  if (context.output.json) context.output.value({ verdict: verdict.verdict, log: verdict });
  else for (const line of verdictLines(verdict, [], context.output)) context.output.prose(line);
  return exitOf(verdict, []);
}

/** Replays from a snapshot that the signed log proves. If the records before it are there, they have to lead to it. */
async function replayFrom(
  context: CommandContext,
  { verdict, pinned, ...log }: VerifiedLog,
  from: number,
  to: { readonly to?: number },
): Promise<Say> {
  const reader = await log.reader();
  const whole = stands(verdict) && verdict.prunedBefore === 0;
  // The key in force at the newest checkpoint, to which the chain from the known key has led.
  const vkey = stands(verdict) ? verdict.keys.findLast(({ fromSize }) => fromSize <= verdict.signedSize)?.vkey : pinned;
  const proof =
    vkey === null || vkey === undefined
      ? ({
          ok: false,
          verdict: "incomplete",
          reason: "no public key of the log is known; name one with --key",
        } as const)
      : await proveSnapshot(reader, from, vkey);
  if (!proof.ok) return () => unproved(context, verdict, from, proof);
  // The record after the snapshot holds its digests, so recomputing up to that record compares the two.
  const head = whole ? await recompute(reader, { to: from + 1 }) : null;
  const proved = { snapshot: from, record: from + 1, size: proof.size, origin: proof.origin };
  const said = { proved, snapshot_equals_fold: head === null ? null : head.verdict === "recomputed" };
  if (head !== null && head.verdict !== "recomputed") return () => tell(context, verdict, head, said);
  const tail = await recompute(reader, { from: proof.snapshot, ...to });
  const { output } = context;
  return () => {
    if (!output.json) {
      output.prose(
        `record ${from + 1}, in the signed log of ${proof.size} records, proves the snapshot after record ${from}`,
      );
      output.prose(
        head === null
          ? "the records before the snapshot are not here, so it cannot be compared with what they lead to"
          : `the snapshot equals the fold of the ${from + 1} records before it`,
      );
    }
    return tell(context, verdict, tail, said);
  };
}

function unproved(
  { output }: CommandContext,
  log: LogVerdict,
  from: number,
  { verdict, reason }: Extract<SnapshotProof, { ok: false }>,
): number {
  if (output.json) output.value({ verdict, reason, log });
  else output.prose(`the snapshot after record ${from} is not proved (${verdict}): ${printable(reason, 400)}`);
  return verdict === "tampered" ? EXIT.no : EXIT.incomplete;
}

/**
 * Reports a recomputation. If the log lacks its first records, what was proved is its tail, which the known key has
 * signed.
 */
function tell(context: CommandContext, log: LogVerdict, found: Recomputation, said: object = {}): number {
  const { output } = context;
  if (output.json) {
    const { verdict, divergence, obstacle, records, snapshotsEqual, machines, actors } = found;
    const { size, root, signedSize, pinned } = log;
    output.value({
      ...{ verdict, divergence, obstacle, ...said, records, snapshots_equal: snapshotsEqual, machines, actors },
      log: { verdict: log.verdict, size, root, signed_size: signedSize, pinned },
    });
  } else {
    for (const line of recomputationLines(found, output)) output.prose(line);
    for (const caveat of log.caveats) output.talk(`note: ${caveat}`);
  }
  if (found.verdict === "diverges") return EXIT.no;
  return found.verdict === "recomputed" ? exitOf(log, []) : EXIT.incomplete;
}

interface FoldedState {
  readonly records: number;
  /** The first record that was folded. */
  readonly from: number;
  readonly snapshots_equal: number;
  readonly actors: ReturnType<Replay["projection"]["snapshot"]>;
}

function stateOf({ projection, from, snapshotsEqual }: Replay): FoldedState {
  return { records: projection.size, from, snapshots_equal: snapshotsEqual, actors: projection.snapshot() };
}

function show({ output }: CommandContext, state: FoldedState, exit: number): number {
  if (output.json) {
    output.value(state);
    return exit;
  }
  const { records, from, snapshots_equal } = state;
  if (from > 0) output.prose(`begun at the snapshot after record ${from - 1}; history before was pruned`);
  output.prose(`${records - from} records folded; ${snapshotsText(snapshots_equal)}`);
  for (const line of actorLines(state.actors, output)) output.prose(line);
  return exit;
}

function snapshotsText(equal: number): string {
  if (equal === 0) return "no stored snapshot on the way";
  return equal === 1 ? "one stored snapshot equals the fold" : `${equal} stored snapshots equal the fold`;
}

/** A running host does the replay itself, because it holds the journal. */
async function replayConfigured(context: CommandContext, { to }: ReplayOptions): Promise<number> {
  const query = to === undefined ? {} : { to };
  if (await hostAnswers(context)) {
    await using operator = await context.operator();
    return show(context, await operator.replay(query), EXIT.ok);
  }
  await using journal = await readJournal(context.load().resolved.stateDirectory);
  return show(context, stateOf(await replay(journal.reader, query)), EXIT.ok);
}
