/** What another policy would have decided about the calls of a log, grouped so that a person can read it. */
import type { JournalReader } from "@femtoclaw/journal";
import type { DecidedRecord, TypedRecord } from "@femtoclaw/protocol";
import type { Judge } from "./judges.ts";
import { isDecided, type Judgement, type RecordedCall, recordedCall } from "./recorded-call.ts";
import { wholeRecord } from "./whole-record.ts";

/** The part of a log in which decisions are looked for. */
export type DecidedLog = Pick<JournalReader, "size" | "read" | "withValues" | "prunedBefore">;

interface DifferenceOptions {
  readonly before: Judge;
  readonly after: Judge;
  /** First record to examine. */
  readonly since?: number;
  /** Which calls are examined; by default all. */
  among?(call: RecordedCall): boolean;
  /** Whether the same verdict by different rules counts as a difference too. */
  readonly exact?: boolean;
}

interface DifferenceExample {
  readonly seq: number;
  readonly execution: string;
  readonly call: RecordedCall;
}

/** Calls of one capability on which the two sides differ in the same way. */
export interface DifferenceGroup {
  readonly was: Judgement["kind"];
  readonly now: Judgement["kind"];
  readonly tool: string;
  readonly was_rules: readonly string[];
  readonly now_rules: readonly string[];
  readonly was_code: string | null;
  readonly now_code: string | null;
  readonly count: number;
  /** The first few of these calls; `count` has all. */
  readonly examples: readonly DifferenceExample[];
}

interface UndecidableGroup {
  readonly reason: string;
  readonly count: number;
  /** Records of the first few. */
  readonly examples: readonly number[];
}

/** What two judges say about the calls of one log. */
export interface PolicyDifference {
  /** Calls that both sides decided. */
  readonly calls: number;
  /** Calls that they decided differently. */
  readonly changed: number;
  /** Those calls, grouped by the difference. */
  readonly groups: readonly DifferenceGroup[];
  /** Calls that one of the sides cannot decide on what was recorded. */
  readonly undecidable: readonly UndecidableGroup[];
  /** Calls that were ended by something other than policy, mostly before it was asked. */
  readonly never_decided: number;
}

/**
 * Has both judges decide every recorded call, oldest first. Runs nothing. Throws the reader's error for a log that
 * cannot be read.
 */
export async function policyDifference(log: DecidedLog, options: DifferenceOptions): Promise<PolicyDifference> {
  const tally = new Tally();
  const since = Math.max(options.since ?? 0, await log.prunedBefore());
  for await (const stored of log.read(since, log.size)) {
    if (stored.type === "policy.activated") await meet(log, stored, options);
    if (!isDecided(stored)) continue;
    const call = await callOf(log, stored);
    if (call === null) {
      // The end of a question is counted with the question.
      if (stored.type !== "execution.refused" || stored.body.approval === undefined) tally.neverDecided += 1;
      continue;
    }
    if (options.among?.(call) === false) continue;
    const before = await options.before.judge(call);
    const after = await options.after.judge(call);
    tally.add(call, before, after, options.exact ?? false);
  }
  return tally.difference;
}

async function meet(log: DecidedLog, stored: TypedRecord, { before, after }: DifferenceOptions): Promise<void> {
  if (before.met === undefined && after.met === undefined) return;
  const record = await wholeRecord(log, stored);
  if (record.type !== "policy.activated") return;
  before.met?.(record.body);
  after.met?.(record.body);
}

/** The recorded call, including facts that are stored beside its record; null if policy did not decide the call. */
export async function callOf(log: Pick<DecidedLog, "withValues">, stored: DecidedRecord): Promise<RecordedCall | null> {
  if (stored.body.facts !== null) return recordedCall(stored);
  const record = await wholeRecord(log, stored);
  return isDecided(record) ? recordedCall(record) : null;
}

/** LIMIT: examples of one group; the count tells how many there are. */
const EXAMPLES_MAX = 3;
/** LIMIT: groups of either kind; further differences are counted by what was decided before and now alone. */
const GROUPS_MAX = 1_000;
/** Stands for the tools of these. */
const FURTHER_TOOLS = "further tools";

type Writable<T> = { -readonly [K in keyof T]: T[K] };
type Group = Writable<DifferenceGroup> & { examples: DifferenceExample[] };
type Obstacle = Writable<UndecidableGroup> & { examples: number[] };

class Tally {
  neverDecided = 0;
  #calls = 0;
  #changed = 0;
  readonly #groups = new Map<string, Group>();
  readonly #obstacles = new Map<string, Obstacle>();

  add(call: RecordedCall, before: Judgement, after: Judgement, exact: boolean): void {
    const obstacle = before.obstacle ?? after.obstacle;
    if (obstacle !== null) return this.#addObstacle(call, obstacle);
    this.#calls += 1;
    const isSame = before.kind === after.kind && (!exact || (sameRules(before, after) && before.code === after.code));
    if (isSame) return;
    this.#changed += 1;
    this.#addChange(call, before, after);
  }

  get difference(): PolicyDifference {
    const byCount = (a: { readonly count: number }, b: { readonly count: number }): number => b.count - a.count;
    return {
      calls: this.#calls,
      changed: this.#changed,
      groups: [...this.#groups.values()].sort(byCount),
      undecidable: [...this.#obstacles.values()].sort(byCount),
      never_decided: this.neverDecided,
    };
  }

  #addChange(call: RecordedCall, before: Judgement, after: Judgement): void {
    const exactKey = JSON.stringify([before.kind, after.kind, call.tool, before.rules, after.rules, before.code]);
    const isExact = this.#groups.size < GROUPS_MAX || this.#groups.has(exactKey);
    const key = isExact ? exactKey : JSON.stringify([before.kind, after.kind]);
    const group = this.#groups.get(key) ?? groupOf(isExact ? call.tool : FURTHER_TOOLS, before, after, isExact);
    this.#groups.set(key, group);
    group.count += 1;
    const { seq, execution } = call;
    if (group.examples.length < EXAMPLES_MAX) group.examples.push({ seq, execution, call });
  }

  #addObstacle({ seq }: RecordedCall, reason: string): void {
    const key = this.#obstacles.size < GROUPS_MAX || this.#obstacles.has(reason) ? reason : "further reasons";
    const group = this.#obstacles.get(key) ?? { reason: key, count: 0, examples: [] };
    this.#obstacles.set(key, group);
    group.count += 1;
    if (group.examples.length < EXAMPLES_MAX) group.examples.push(seq);
  }
}

/** A group that is not exact says nothing of rules and codes, which differ among its calls. */
function groupOf(tool: string, before: Judgement, after: Judgement, isExact: boolean): Group {
  return {
    was: before.kind,
    now: after.kind,
    tool,
    count: 0,
    examples: [],
    was_rules: isExact ? before.rules : [],
    now_rules: isExact ? after.rules : [],
    was_code: isExact ? before.code : null,
    now_code: isExact ? after.code : null,
  };
}

function sameRules(before: Judgement, after: Judgement): boolean {
  return before.rules.length === after.rules.length && before.rules.every((rule, at) => rule === after.rules[at]);
}
