/**
 * Which marks principals would bear if another configuration had been in force while a log was written: its
 * `[sensitive]` says what marks, and only what it permits marks anybody.
 */
import type { PolicyAction } from "@femtoclaw/policy";
import { type Authority, authorityOf, type HistoryFacts, type Mark } from "@femtoclaw/protocol";
import { marksOf } from "../gate/marks.ts";
import { capabilityOf, type RecordedCall } from "./recorded-call.ts";

/** The marks that one principal has according to the records, and those that it would have. */
interface Borne {
  readonly recorded: Set<Mark>;
  readonly supposed: Set<Mark>;
}

const FACTS = { read_secret: "has_read_secret", seen_untrusted: "has_seen_untrusted" } as const satisfies Record<
  Mark,
  keyof HistoryFacts
>;
const MARKS = Object.keys(FACTS) as Mark[];

export class MarksUnder {
  readonly #authority: Authority;
  readonly #effects: ReadonlyMap<string, PolicyAction["effect"]>;
  readonly #borne = new Map<string, Borne>();

  constructor(authority: Authority, actions: readonly PolicyAction[]) {
    this.#authority = authority;
    this.#effects = new Map(actions.map(({ name, effect }) => [name, effect]));
  }

  /**
   * The call with the marks that its principal would have borne. Everything else in its session's history stays as it
   * was.
   */
  supposed(call: RecordedCall): RecordedCall {
    const { facts, principal } = call;
    if (facts?.history === undefined) return call;
    const { recorded, supposed } = this.#of(principal, facts.history);
    // If both agree, the record is more exact: a call can be decided just before another one marks its principal.
    const others = MARKS.filter((mark) => recorded.has(mark) !== supposed.has(mark));
    if (others.length === 0) return call;
    const marks = Object.fromEntries(others.map((mark) => [FACTS[mark], supposed.has(mark)]));
    return { ...call, facts: { ...facts, history: { ...facts.history, ...marks } } };
  }

  /** To be called for each call in the order of the records, after it was judged. */
  note(call: RecordedCall, isPermitted: boolean): void {
    const { facts, principal } = call;
    if (facts?.history === undefined) return;
    const { recorded, supposed } = this.#of(principal, facts.history);
    for (const mark of call.marks) recorded.add(mark);
    const effect = this.#effects.get(capabilityOf(call));
    if (!isPermitted || effect === undefined) return;
    for (const mark of marksOf(facts.questions, effect, authorityOf(this.#authority, principal))) supposed.add(mark);
  }

  /** Marks that a principal bore before its first examined call stay for good, because nobody saw their cause. */
  #of(principal: string, history: HistoryFacts): Borne {
    const known = this.#borne.get(principal);
    if (known !== undefined) return known;
    const before = MARKS.filter((mark) => history[FACTS[mark]]);
    const borne = { recorded: new Set(before), supposed: new Set(before) };
    this.#borne.set(principal, borne);
    return borne;
  }
}
