/**
 * The one place where decisions are made. It fails closed: without an active policy, after a failed check, an error of
 * the engine or an exception, the call is denied. An instance that threw is replaced by a spare and never asked again.
 */
import assert from "node:assert/strict";
import { errorText, type FactQuestion, FemtoError } from "@femtoclaw/protocol";
import { ENGINE_VERSION, type EnforceablePolicy } from "../compile.ts";
import { type Decision, type Denial, engineFailed, question, undecided, type Verdict } from "../decisions/decision.ts";
import type { DecisionRequest } from "../decisions/request.ts";
import { type ProjectedPolicy, preparseProjected, projectPolicy } from "../projection/projected-policy.ts";
import { askKinds, type Candidate, candidateOf, invalid, isSameText, judge, preparse } from "./activation.ts";
import { type Cedar, openCedar, type SpareCedar } from "./cedar-instance.ts";
import { evaluate, prepareProjected, prepareWhole } from "./evaluation.ts";

/** Makes decisions. Without an active policy everything is denied. */
export interface PolicyEngine {
  /** The revision that decides now; null before the first activation. */
  readonly revision: string | null;
  /** False if no instance is left to decide with; then everything is denied. */
  readonly usable: boolean;
  /**
   * Makes the policy the active one, or throws FEMTO_POLICY_INVALID and leaves the active one unchanged. A revision
   * that was activated before, according to an intact record, is not judged a second time.
   */
  activate(policy: EnforceablePolicy, wasActivated?: boolean): void;
  /** Loads a policy that only has to answer its tests for now. It is not judged; to put it in force, activate it. */
  load(policy: EnforceablePolicy): void;
  /**
   * Makes decisions faster and cacheable without changing any of them. This takes a tenth of a second at 500 rules, so
   * call it when nobody waits.
   */
  project(): void;
  /** Never throws: what cannot be decided is denied. A request with `approved` set never results in a question. */
  decide(request: DecisionRequest): Decision;
  /**
   * Returns the first denial of any question, else a question if some rule asks. The call is permitted only if every
   * question is. No questions at all are denied.
   */
  decideAll(request: Omit<DecisionRequest, "question"> & { readonly questions: readonly FactQuestion[] }): Decision;
}

/** Options of an engine. */
export interface PolicyEngineOptions {
  /**
   * Called after the decision with the reason why the engine could not decide. The fault is for the operator, never for
   * the model.
   */
  readonly onFault?: (fault: string) => void;
}

/** Opens an engine that decides nothing yet. */
type OpenPolicyEngine = (options?: PolicyEngineOptions) => Promise<PolicyEngine>;

/**
 * Begins to compile the engine once, in parallel to everything else. The returned function opens any number of engines.
 */
export function policyEngines(): OpenPolicyEngine {
  const opening = openCedar();
  // The caller that opens an engine gets the error.
  opening.catch(() => undefined);
  return async (options = {}) => await openEngine(await opening, options);
}

/** Opens one engine. Throws FEMTO_POLICY_INVALID if the engine is not the version that policies are compiled for. */
export async function createPolicyEngine(options: PolicyEngineOptions = {}): Promise<PolicyEngine> {
  return await openEngine(await openCedar(), options);
}

async function openEngine(spareCedar: () => Promise<SpareCedar>, options: PolicyEngineOptions): Promise<PolicyEngine> {
  const cedar = (await spareCedar()).start();
  const version = `cedar ${cedar.getCedarVersion()}`;
  if (version !== ENGINE_VERSION)
    throw invalid(`the engine is ${version}, and policies are compiled for ${ENGINE_VERSION}`);
  return new CedarEngine(cedar, await spareCedar(), spareCedar, options);
}

/** LIMIT: number of replaced instances. Each keeps about 3 MB until the process ends, and honest policies need none. */
const REPLACEMENTS_MAX = 16;

class CedarEngine implements PolicyEngine {
  readonly #spareCedar: () => Promise<SpareCedar>;
  readonly #onFault: ((fault: string) => void) | undefined;
  /** Null while no instance can be trusted; then everything is denied. */
  #cedar: Cedar | null;
  #spare: SpareCedar | null;
  #active: Candidate | null = null;
  /** The active policy cut down to what each action reads; null until `project` is called. */
  #projected: ProjectedPolicy | null = null;
  /** Identifies where cached decisions come from: the active policy in the current instance. */
  #origin: object = {};
  #replacementsLeft = REPLACEMENTS_MAX;

  constructor(
    cedar: Cedar,
    spare: SpareCedar,
    spareCedar: () => Promise<SpareCedar>,
    { onFault }: PolicyEngineOptions,
  ) {
    this.#cedar = cedar;
    this.#spare = spare;
    this.#spareCedar = spareCedar;
    this.#onFault = onFault;
  }

  get revision(): string | null {
    return this.#active?.revision ?? null;
  }

  get usable(): boolean {
    return this.#cedar !== null;
  }

  activate(policy: EnforceablePolicy, wasActivated = false): void {
    this.#take(policy, (cedar, candidate) => {
      if (!wasActivated) judge(cedar, candidate);
      askKinds(cedar, candidate);
    });
  }

  load(policy: EnforceablePolicy): void {
    this.#take(policy, () => undefined);
  }

  #take(policy: EnforceablePolicy, check: (cedar: Cedar, candidate: Candidate) => void): void {
    const before = this.#active;
    const other = candidateOf(policy, before?.slot === "A" ? "B" : "A");
    // What the engine has parsed already need not be parsed again.
    const isRead = before !== null && isSameText(before, other);
    const candidate = isRead ? { ...other, slot: before.slot } : other;
    if (this.#cedar === null) throw invalid("no instance of the decision engine is left; start the host again");
    try {
      if (!isRead) preparse(this.#cedar, candidate);
      check(this.#cedar, candidate);
    } catch (error) {
      if (error instanceof FemtoError) throw error;
      this.#replace(error);
      throw invalid(`the decision engine failed on this policy: ${errorText(error)}`);
    }
    this.#active = candidate;
    this.#projected = null;
    this.#origin = {};
  }

  project(): void {
    if (this.#active === null || this.#cedar === null || this.#projected !== null) return;
    try {
      const projected = projectPolicy(this.#cedar, this.#active.slot, this.#active.schema, this.#active.rules);
      preparseProjected(this.#cedar, projected);
      this.#projected = projected;
    } catch (error) {
      // The whole policy goes on deciding; it needs no projection.
      if (error instanceof FemtoError) this.#report(`the policy is not projected: ${error.message}`);
      else this.#replace(error);
    }
  }

  decide(request: DecisionRequest): Decision {
    const { decision, fault } = this.#verdict(request);
    if (fault !== null) this.#report(fault);
    if (decision.allowed || request.approved || fault !== null) return decision;
    return this.#asking(request, decision);
  }

  /**
   * Turns a denial into a question if only the missing yes stands against the call: every rule that forbids it asks,
   * and with the yes it would be permitted. Otherwise returns the denial that a yes would not lift.
   */
  #asking(request: DecisionRequest, denial: Denial): Decision {
    const asking = this.#active?.approvers ?? new Map<string, number>();
    if (asking.size === 0 || (denial.rules.length > 0 && !denial.rules.some((id) => asking.has(id)))) return denial;
    const { decision, fault } = this.#verdict({ ...request, approved: true });
    if (fault !== null) this.#report(fault);
    if (!decision.allowed) return decision;
    const rules = [...new Set([...denial.rules, ...decision.rules.filter((id) => asking.has(id))])].sort();
    assert(rules.length > 0, "a yes lifts only what asks for it");
    return question(request.capability, rules, Math.max(...rules.map((id) => asking.get(id) ?? 1)));
  }

  decideAll({ questions, ...asker }: Parameters<PolicyEngine["decideAll"]>[0]): Decision {
    const [only] = questions;
    if (only !== undefined && questions.length === 1) return this.decide({ ...asker, question: only });
    const permitting = new Set<string>();
    const asking = new Set<string>();
    let approvers = 0;
    for (const question of questions) {
      const decision = this.decide({ ...asker, question });
      if (!decision.allowed && decision.code !== "FEMTO_APPROVAL_REQUIRED") return decision;
      const rules = decision.allowed ? permitting : asking;
      for (const rule of decision.rules) rules.add(rule);
      if (!decision.allowed) approvers = Math.max(approvers, decision.approvers);
    }
    if (asking.size > 0) return question(asker.capability, [...asking].sort(), approvers);
    // INVARIANT: "all of nothing" is true in logic and must not be a permit here.
    if (permitting.size === 0) return undecided(asker.capability, "no question was asked").decision;
    return { allowed: true, rules: [...permitting].sort() };
  }

  #verdict(request: DecisionRequest): Verdict {
    const { capability, share } = request;
    if (this.#active === null) return undecided(capability, "no policy is active");
    if (this.#cedar === null) return engineFailed(capability, "no instance of the decision engine is left");
    const prepared =
      this.#projected === null ? prepareWhole(request, this.#active) : prepareProjected(request, this.#projected);
    if (!prepared.ok) return undecided(capability, prepared.fault);
    const { key } = prepared;
    const remembered = key === null ? undefined : share?.recall(this.#origin, key);
    if (remembered !== undefined) return { decision: remembered, fault: null };
    try {
      const verdict = evaluate(this.#cedar, prepared, capability);
      // A verdict with a fault is not cached: each one is reported, and the next instance may be able to decide.
      if (verdict.fault === null && key !== null) share?.keep(this.#origin, key, verdict.decision);
      return verdict;
    } catch (error) {
      this.#replace(error);
      return engineFailed(capability, `the decision engine failed: ${errorText(error)}`);
    }
  }

  /** INVARIANT: an instance that threw once answers nothing any more, because a trap leaves its memory undefined. */
  #replace(error: unknown): void {
    this.#cedar = null;
    // INVARIANT: earlier answers of the instance that trapped are not relied on either.
    this.#origin = {};
    this.#report(`an instance of the decision engine is replaced: ${errorText(error)}`);
    const spare = this.#spare;
    this.#spare = null;
    if (spare !== null) this.#install(spare);
    this.#fetchSpare();
  }

  #install(spare: SpareCedar): void {
    try {
      const cedar = spare.start();
      if (this.#active !== null) preparse(cedar, this.#active);
      if (this.#projected !== null) preparseProjected(cedar, this.#projected);
      this.#cedar = cedar;
    } catch (error) {
      this.#report(`a new instance of the decision engine does not start: ${errorText(error)}`);
    }
  }

  #fetchSpare(): void {
    if (this.#replacementsLeft === 0) return;
    this.#replacementsLeft -= 1;
    this.#spareCedar().then(
      (spare) => {
        if (this.#cedar === null) this.#install(spare);
        else this.#spare = spare;
      },
      (error: unknown) => this.#report(`a new instance of the decision engine does not load: ${errorText(error)}`),
    );
  }

  /** Reports in a microtask of its own, so that a listener that throws cannot change a decision. */
  #report(fault: string): void {
    const listener = this.#onFault;
    if (listener !== undefined) queueMicrotask(() => listener(fault));
  }
}
