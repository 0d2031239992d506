/**
 * Drafts entries that would have permitted the calls that a log says were refused, each with the records it comes from.
 */
import type { GrantProposal } from "@femtoclaw/policy";
import type { PolicyActivatedBody } from "@femtoclaw/protocol";
import { callOf, isDecided, type Judge, newestTrial, type RecordedCall } from "@femtoclaw/runtime/redecide";
import type { DecisionReader } from "./decision-source.ts";
import { type CallRemedy, type ExaminedCall, isExamined, type PresentPolicy } from "./present-policy.ts";

/** What some calls have in common, with their records. */
export interface Drafted<T> {
  readonly about: T;
  readonly count: number;
  /** The first few records. */
  readonly records: readonly number[];
  /** How many of these calls the rules on trial permitted. */
  readonly tried: number;
}

/** Where the newest rules on trial differed, grouped by the rules that decided. */
export interface TrialDraft {
  readonly revision: string;
  /** Calls that both sets of rules decided. */
  readonly calls: number;
  readonly undecided: number;
  /** Denied or asked about, but permitted by the rules on trial. */
  readonly permits: readonly Drafted<string>[];
  /** Denied or permitted, but asked about by the rules on trial. */
  readonly asks: readonly Drafted<string>[];
  /** Permitted or asked about, but denied by the rules on trial. */
  readonly denies: readonly Drafted<string>[];
}

export interface PolicyDraft {
  /** Denied calls that were examined. */
  readonly denied: number;
  /** Denied calls that the present configuration permits or asks operators about. */
  readonly permitted: number;
  /** Denied calls whose facts are missing or not understood. */
  readonly undecidable: number;
  readonly grants: readonly Drafted<GrantProposal>[];
  /**
   * Proposals that would let an agent choose what code runs. `obstacles` are the reasons why no entry can allow a call.
   */
  readonly dangerous: readonly Drafted<GrantProposal>[];
  readonly obstacles: readonly Drafted<string>[];
  /** Rules that ask, and whose questions operators answered with yes. */
  readonly approved: readonly Drafted<string>[];
  /** Null if no rules were on trial. */
  readonly trial: TrialDraft | null;
  /** Calls beyond the limit of a draft. */
  readonly left_out: number;
}

/** LIMIT: records named for one entry. */
const RECORDS_SHOWN = 5;
/** LIMIT: distinct calls that entries are drafted for; nobody reviews more. */
const CALLS_MAX = 2_000;

/** Only drafts: puts nothing in force and writes nothing. */
export async function draftPolicy(log: DecisionReader, present: PresentPolicy, since = 0): Promise<PolicyDraft> {
  const newest = await newestTrial(log);
  const trial = newest === null ? null : new TrialTally(newest);
  const draft = new Draft(present, await present.judge(), trial);
  for await (const record of log.read(Math.max(since, await log.prunedBefore()), log.size)) {
    if (!isDecided(record)) continue;
    const call = await callOf(log, record);
    if (call !== null) trial?.add(call);
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
  readonly #trial: TrialTally | null;
  readonly #counts = { denied: 0, permitted: 0, undecidable: 0, left_out: 0 };

  constructor(present: PresentPolicy, judge: Judge, trial: TrialTally | null) {
    this.#present = present;
    this.#judge = judge;
    this.#trial = trial;
  }

  /** A rule whose questions are always answered with yes may not need to ask. */
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
      grants: this.#grants.all,
      dangerous: this.#dangerous.all,
      obstacles: this.#obstacles.all,
      approved: this.#approved.all,
      trial: this.#trial?.result ?? null,
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

  #note(call: ExaminedCall, remedy: CallRemedy | null): void {
    const { seq } = call;
    if (remedy === null) {
      this.#counts.left_out += 1;
    } else if (remedy.obstacles.length > 0) {
      for (const obstacle of remedy.obstacles) this.#obstacles.add(obstacle, seq);
    } else {
      // If a call needs something dangerous, that is no reason to allow the other things that it needs.
      const tally = remedy.grants.some(({ dangerous }) => dangerous) ? this.#dangerous : this.#grants;
      const isTried = this.#trial?.permitted(call) ?? false;
      for (const grant of remedy.grants) tally.add(grant, seq, isTried);
    }
  }
}

/** The verdicts of one set of rules on trial where they differ from those of the rules in force. */
class TrialTally {
  readonly #body: PolicyActivatedBody;
  readonly #permits = new Tally<string>();
  readonly #asks = new Tally<string>();
  readonly #denies = new Tally<string>();
  #calls = 0;
  #undecided = 0;

  constructor(body: PolicyActivatedBody) {
    this.#body = body;
  }

  permitted({ shadow }: RecordedCall): boolean {
    return shadow !== null && shadow.revision === this.#body.shadow && shadow.verdict === "allowed";
  }

  add({ seq, shadow, verdict }: RecordedCall): void {
    if (shadow === null || shadow.revision !== this.#body.shadow) return;
    this.#calls += 1;
    if (shadow.verdict === "undecided") this.#undecided += 1;
    else if (shadow.verdict !== verdict.kind) {
      const tallies = { allowed: this.#permits, asks: this.#asks, denied: this.#denies };
      tallies[shadow.verdict].add(this.#places(shadow.rules), seq);
    }
  }

  get result(): TrialDraft {
    const { shadow: revision = "" } = this.#body;
    const tallies = { permits: this.#permits.all, asks: this.#asks.all, denies: this.#denies.all };
    return { revision, calls: this.#calls, undecided: this.#undecided, ...tallies };
  }

  #places(ids: readonly string[]): string {
    const sources = new Map(this.#body.shadow_rules?.map(({ id, source }) => [id, source ?? "built in"]));
    return ids.map((id) => `${id} (${sources.get(id) ?? "not recorded"})`).join(", ") || "no rule permits it";
  }
}

class Tally<T> {
  readonly #found = new Map<string, { about: T; count: number; records: number[]; tried: number }>();

  add(about: T, seq: number, isTried = false): void {
    const key = JSON.stringify(about);
    const entry = this.#found.get(key) ?? { about, count: 0, records: [], tried: 0 };
    this.#found.set(key, entry);
    entry.count += 1;
    if (isTried) entry.tried += 1;
    if (entry.records.length < RECORDS_SHOWN) entry.records.push(seq);
  }

  get all(): readonly Drafted<T>[] {
    return [...this.#found.values()].sort((a, b) => b.count - a.count);
  }
}
