/**
 * The one place where decisions are made. Fails closed: no active policy, a failed check, an error of the
 * engine or an exception is a denial. An instance that threw is replaced by a spare, and never asked again.
 */
import assert from "node:assert/strict";
import { errorText, type FactQuestion, FemtoError } from "@femtoclaw/protocol";
import { type Candidate, candidateOf, checkCandidate, invalid, preparse } from "./activation.ts";
import { type Cedar, openCedar, type SpareCedar } from "./cedar-instance.ts";
import { type CompiledPolicy, ENGINE_VERSION } from "./compile.ts";
import { type Decision, type Denial, question, undecided, type Verdict, verdictOf } from "./decision.ts";
import { authorizationCall, type DecisionRequest } from "./request.ts";

export interface PolicyEngine {
  /** Revision that decides now; null before the first activation. */
  readonly revision: string | null;
  /** False while no instance is left to decide with; everything is denied then. */
  readonly usable: boolean;
  /** Makes the policy the active one, or throws FEMTO_POLICY_INVALID and leaves the active one as it was. */
  activate(policy: CompiledPolicy): void;
  /** Never throws: what cannot be decided is denied. Nothing that was approved asks again. */
  decide(request: DecisionRequest): Decision;
  /** The first denial of any question; else whatever asks; permitted only when every question is. No question at all is denied. */
  decideAll(request: Omit<DecisionRequest, "question"> & { readonly questions: readonly FactQuestion[] }): Decision;
}

export interface PolicyEngineOptions {
  /** Hears, after the decision, why the engine could not decide; for the operator, never for the model. */
  readonly onFault?: (fault: string) => void;
}

export async function createPolicyEngine(options: PolicyEngineOptions = {}): Promise<PolicyEngine> {
  const spareCedar = await openCedar();
  const cedar = (await spareCedar()).start();
  const version = `cedar ${cedar.getCedarVersion()}`;
  if (version !== ENGINE_VERSION)
    throw invalid(`the engine is ${version}, and policies are compiled for ${ENGINE_VERSION}`);
  return new CedarEngine(cedar, await spareCedar(), spareCedar, options);
}

/** LIMIT: replaced instances; each keeps about 3 MB until the process ends, and honest policies need none. */
const REPLACEMENTS_MAX = 16;

class CedarEngine implements PolicyEngine {
  readonly #spareCedar: () => Promise<SpareCedar>;
  readonly #onFault: ((fault: string) => void) | undefined;
  /** Null while no instance can be trusted: everything is denied. */
  #cedar: Cedar | null;
  #spare: SpareCedar | null;
  #active: Candidate | null = null;
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

  activate(policy: CompiledPolicy): void {
    const candidate = candidateOf(policy, this.#active?.slot === "A" ? "B" : "A");
    if (this.#cedar === null) throw invalid("no instance of the decision engine is left; start the host again");
    try {
      checkCandidate(this.#cedar, candidate);
    } catch (error) {
      if (error instanceof FemtoError) throw error;
      this.#replace(error);
      throw invalid(`the decision engine failed on this policy: ${errorText(error)}`);
    }
    this.#active = candidate;
  }

  decide(request: DecisionRequest): Decision {
    const { decision, fault } = this.#verdict(request);
    if (fault !== null) this.#report(fault);
    if (decision.allowed || request.approved || fault !== null) return decision;
    return this.#asking(request, decision);
  }

  /**
   * A denial becomes a question where nothing but the missing yes stands against the call: every rule that
   * forbids it asks, and with the yes it would be permitted. Else the denial is shown that a yes would not lift.
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
    const { capability } = request;
    if (this.#active === null) return undecided(capability, "no policy is active");
    if (this.#cedar === null) return undecided(capability, "no instance of the decision engine is left");
    const prepared = authorizationCall(request, this.#active);
    if (!prepared.ok) return undecided(capability, prepared.fault);
    try {
      return verdictOf(this.#cedar.statefulIsAuthorized(prepared.call), capability);
    } catch (error) {
      this.#replace(error);
      return undecided(capability, `the decision engine failed: ${errorText(error)}`);
    }
  }

  /** INVARIANT: an instance that threw once answers nothing any more; a trap leaves its memory undefined. */
  #replace(error: unknown): void {
    this.#cedar = null;
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

  /** Later and by itself, so that a listener that throws cannot change a decision. */
  #report(fault: string): void {
    const listener = this.#onFault;
    if (listener !== undefined) queueMicrotask(() => listener(fault));
  }
}
