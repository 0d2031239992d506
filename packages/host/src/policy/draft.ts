/** Entries that would have permitted what a log says was refused, each with the records that it comes from. */
import type { GrantProposal } from "@femtoclaw/policy";
import { callOf, type DecidedLog, isDecided, type Judge, type RecordedCall } from "@femtoclaw/runtime";
import { type CallRemedy, type ExaminedCall, isExamined, type PresentPolicy } from "./present-policy.ts";

/** What some calls have in common, and their records. */
export interface Drafted<T> {
  readonly about: T;
  readonly count: number;
  /** The first few. */
  readonly records: readonly number[];
}

export interface PolicyDraft {
  /** Denied calls that were looked at. */
  readonly denied: number;
  /** Those of them that the present configuration permits, or asks operators about. */
  readonly permitted: number;
  /** Those whose facts are not there, or not understood. */
  readonly undecidable: number;
  readonly grants: readonly Drafted<GrantProposal>[];
  /** Proposals that let an agent choose what code runs, and why each call cannot be allowed by an entry. */
  readonly dangerous: readonly Drafted<GrantProposal>[];
  readonly obstacles: readonly Drafted<string>[];
  /** Rules that ask, whose questions operators said yes to. */
  readonly approved: readonly Drafted<string>[];
  /** Calls beyond what a draft holds. */
  readonly left_out: number;
}

/** LIMIT: records that are named for one entry. */
const RECORDS_SHOWN = 5;
/** LIMIT: distinct calls that entries are drafted for; nobody reviews more. */
const CALLS_MAX = 2_000;

/** Nothing of it is in force, and nothing is written. */
export async function draftPolicy(log: DecidedLog, present: PresentPolicy, since = 0): Promise<PolicyDraft> {
  const draft = new Draft(present, await present.judge());
  for await (const record of log.read(Math.max(since, await log.prunedBefore()), log.size)) {
    if (!isDecided(record)) continue;
    const call = await callOf(log, record);
    if (call?.verdict.kind === "denied") await draft.addDenied(call);
    else if (call?.approved === true) await draft.addApproved(call);
  }
  return draft.result;
}

class Draft {
  readonly #present: PresentPolicy;
  readonly #judge: Judge;
  readonly #remedies = new Map<string, CallRemedy>();
  readonly #grants = new Tally<GrantProposal>();
  readonly #dangerous = new Tally<GrantProposal>();
  readonly #obstacles = new Tally<string>();
  readonly #approved = new Tally<string>();
  readonly #counts = { denied: 0, permitted: 0, undecidable: 0, left_out: 0 };

  constructor(present: PresentPolicy, judge: Judge) {
    this.#present = present;
    this.#judge = judge;
  }

  /** What operators say yes to again and again may need no question. */
  async addApproved(call: RecordedCall): Promise<void> {
    const now = await this.#judge.judge({ ...call, approved: false });
    if (now.kind === "asks") this.#approved.add(this.#present.places(now.rules).join(", "), call.seq);
  }

  async addDenied(call: RecordedCall): Promise<void> {
    this.#counts.denied += 1;
    const now = await this.#judge.judge(call);
    if (now.kind === "allowed" || now.kind === "asks") this.#counts.permitted += 1;
    else if (now.kind === "undecidable" || !isExamined(call)) this.#counts.undecidable += 1;
    else this.#note(call, await this.#remedy(call));
  }

  get result(): PolicyDraft {
    return {
      ...this.#counts,
      ...{ grants: this.#grants.all, dangerous: this.#dangerous.all },
      ...{ obstacles: this.#obstacles.all, approved: this.#approved.all },
    };
  }

  async #remedy(call: ExaminedCall): Promise<CallRemedy | null> {
    const key = JSON.stringify([call.principal, call.tool, call.facts]);
    const known = this.#remedies.get(key);
    if (known !== undefined) return known;
    if (this.#remedies.size >= CALLS_MAX) return null;
    const remedy = await this.#present.remedy(call);
    this.#remedies.set(key, remedy);
    return remedy;
  }

  #note({ seq }: ExaminedCall, remedy: CallRemedy | null): void {
    if (remedy === null) {
      this.#counts.left_out += 1;
    } else if (remedy.obstacles.length > 0) {
      for (const obstacle of remedy.obstacles) this.#obstacles.add(obstacle, seq);
    } else {
      // A call that needs something dangerous is no reason to allow the rest that it needs.
      const tally = remedy.grants.some(({ dangerous }) => dangerous) ? this.#dangerous : this.#grants;
      for (const grant of remedy.grants) tally.add(grant, seq);
    }
  }
}

class Tally<T> {
  readonly #found = new Map<string, { about: T; count: number; records: number[] }>();

  add(about: T, seq: number): void {
    const key = JSON.stringify(about);
    const entry = this.#found.get(key) ?? { about, count: 0, records: [] };
    this.#found.set(key, entry);
    entry.count += 1;
    if (entry.records.length < RECORDS_SHOWN) entry.records.push(seq);
  }

  get all(): readonly Drafted<T>[] {
    return [...this.#found.values()].sort((a, b) => b.count - a.count);
  }
}
