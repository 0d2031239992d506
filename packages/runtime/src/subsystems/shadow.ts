/**
 * Rules on trial: a separate engine is asked about each decided call, on the same facts. Its verdict goes into the
 * record of the call and nowhere else.
 */
import { type Clock, systemClock } from "@femtoclaw/journal/live";
import { type CompiledPolicy, type Decision, DecisionShare, type PolicyEngine } from "@femtoclaw/policy/live";
import type { ShadowVerdict } from "@femtoclaw/protocol";
import type { DecisionAsked, OnTrial } from "../gate/gate-parts.ts";

/** LIMIT: rules that one verdict names, and their characters, so that a trial adds little to a record. */
const SHADOW_RULES_MAX = 32;
const SHADOW_RULES_CHARS = 4_096;
/**
 * LIMIT: microseconds that the trial may take for one call. After a longer one it rests for a hundred times as long, so
 * that it never takes more than a hundredth of the time.
 */
const SLOW_US = 250_000;
const REST_FACTOR = 100;

interface ShadowParts {
  readonly compiled: CompiledPolicy;
  /** Used for nothing else: a trap in it does not affect the engine that decides. */
  readonly engine: Pick<PolicyEngine, "decideAll">;
  readonly clock?: Pick<Clock, "monotonicUs">;
}

export class Shadow implements OnTrial {
  readonly compiled: CompiledPolicy;
  readonly #engine: ShadowParts["engine"];
  readonly #clock: Pick<Clock, "monotonicUs">;
  /**
   * Cached verdicts of these rules for each session. They live as long as the session's cached decisions of the rules
   * in force.
   */
  readonly #shares = new WeakMap<DecisionShare, DecisionShare>();
  #restsUntilUs = 0;
  #undecided = 0;

  constructor({ compiled, engine, clock = systemClock() }: ShadowParts) {
    this.compiled = compiled;
    this.#engine = engine;
    this.#clock = clock;
  }

  /** Calls that could not be decided since these rules were loaded. */
  get undecided(): number {
    return this.#undecided;
  }

  // INVARIANT: I3: never throws, and its only result is this value, which only the record of the call takes up.
  verdict(request: DecisionAsked): ShadowVerdict {
    const verdict = this.#verdict(request);
    if (verdict.verdict === "undecided") this.#undecided += 1;
    return verdict;
  }

  #verdict(request: DecisionAsked): ShadowVerdict {
    const { revision } = this.compiled;
    const beganUs = this.#clock.monotonicUs();
    if (beganUs < this.#restsUntilUs) return { revision, verdict: "undecided", code: "FEMTO_OVERLOADED", rules: [] };
    try {
      return { revision, ...verdictOf(this.#decide(request)) };
    } catch {
      return { revision, verdict: "undecided", code: "FEMTO_POLICY_ENGINE_FAILED", rules: [] };
    } finally {
      const endedUs = this.#clock.monotonicUs();
      const tookUs = endedUs - beganUs;
      if (tookUs > SLOW_US) this.#restsUntilUs = endedUs + tookUs * REST_FACTOR;
    }
  }

  /** For a call that operators said yes to, reports what the rules on trial say with that yes. */
  #decide({ approved, share, ...request }: DecisionAsked): Decision {
    const asked = { ...request, share: this.#shareBeside(share) };
    const decision = this.#engine.decideAll({ ...asked, approved: false });
    if (decision.allowed || decision.code !== "FEMTO_APPROVAL_REQUIRED" || !approved) return decision;
    const granted = this.#engine.decideAll({ ...asked, approved: true });
    return { ...granted, rules: [...new Set([...decision.rules, ...granted.rules])].sort() };
  }

  #shareBeside(share: DecisionShare): DecisionShare {
    const known = this.#shares.get(share) ?? new DecisionShare();
    this.#shares.set(share, known);
    return known;
  }
}

function verdictOf(decision: Decision): Omit<ShadowVerdict, "revision"> {
  const rules = shownRules(decision.rules);
  if (decision.allowed) return { verdict: "allowed", code: null, rules };
  const { code } = decision;
  if (code === "FEMTO_APPROVAL_REQUIRED") return { verdict: "asks", code, rules };
  const isDecided = code !== "FEMTO_POLICY_ERROR" && code !== "FEMTO_POLICY_ENGINE_FAILED";
  return { verdict: isDecided ? "denied" : "undecided", code, rules };
}

/**
 * The first of the sorted rules, as many as a record may hold. Code that makes the verdict again must cut its rules the
 * same way.
 */
export function shownRules(rules: readonly string[]): string[] {
  let chars = 0;
  return rules.slice(0, SHADOW_RULES_MAX).filter(({ length }) => {
    chars += length;
    return chars <= SHADOW_RULES_CHARS;
  });
}
