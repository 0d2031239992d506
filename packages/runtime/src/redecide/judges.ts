/**
 * Decide recorded calls once more: by a candidate policy, or by the very policy that decided each of them. If a call
 * cannot be decided on its recorded facts, the judgement says so; nothing is guessed.
 */
import {
  type CompiledPolicy,
  createPolicyEngine,
  type EnforceablePolicy,
  type PolicyEngine,
  PolicyReader,
} from "@femtoclaw/policy";
import { type Authority, errorText, type Facts, type PolicyActivatedBody } from "@femtoclaw/protocol";
import { shownRules } from "../subsystems/shadow.ts";
import { MarksUnder } from "./marks-under.ts";
import {
  askerOf,
  capabilityOf,
  isPolicyWord,
  type Judgement,
  notAllowed,
  type RecordedCall,
  undecidable,
} from "./recorded-call.ts";
import { RecordedPolicies } from "./recorded-policies.ts";

/** Says what it would have decided about a recorded call. */
export interface Judge {
  /** Never throws for a call that cannot be decided on its record: such a call is judged `undecidable`. */
  judge(call: RecordedCall): Promise<Judgement>;
  /** Called for each policy that came into force, in the order of the records. */
  met?(policy: PolicyActivatedBody): void;
}

/** What was decided then, according to the records. */
export const AS_RECORDED: Judge = { judge: async ({ verdict }) => verdict };

/** What the rules on trial said then, according to the records. */
export const ON_TRIAL: Judge = {
  judge: async ({ shadow }) => {
    if (shadow === null) return undecidable("no rules were on trial");
    const { verdict: kind, code, rules } = shadow;
    if (kind === "undecided") return undecidable(`the rules on trial could not decide (${code ?? "no code"})`);
    return { kind, code, rules, obstacle: null };
  },
};

/** Matches the text of a rule that may depend on history. A rule that only mentions these words is treated as one. */
const HISTORY = /\b(?:session|time)\b/;
const WITHOUT_HISTORY = "its facts are of an older version and do not say what its session had done before";

/** An engine that keeps what it reported about the last call that it could not decide. */
class ListeningEngine {
  readonly #engine: PolicyEngine;
  readonly #faults: string[];
  #readsHistory = false;

  private constructor(engine: PolicyEngine, faults: string[]) {
    this.#engine = engine;
    this.#faults = faults;
  }

  static async open(): Promise<ListeningEngine> {
    const faults: string[] = [];
    return new ListeningEngine(await createPolicyEngine({ onFault: (fault) => void faults.push(fault) }), faults);
  }

  get revision(): string | null {
    return this.#engine.revision;
  }

  activate(policy: EnforceablePolicy): void {
    this.#engine.activate(policy);
    this.#readsHistory = policy.rules.some(({ text }) => HISTORY.test(text));
  }

  async judge(call: RecordedCall): Promise<Judgement> {
    const { facts, obstacle } = call;
    if (facts === null) return undecidable(obstacle ?? "the record has no facts");
    if (facts.history === undefined && this.#readsHistory) return undecidable(WITHOUT_HISTORY);
    const verdict = await this.#decide(call, facts, { approved: false });
    if (verdict.kind !== "asks" || !call.approved) return verdict;
    // If operators said yes, the gate decides again with that yes, and the rules of both answers count.
    const granted = await this.#decide(call, facts, { approved: true });
    return { ...granted, rules: [...new Set([...verdict.rules, ...granted.rules])].sort() };
  }

  async #decide(
    call: RecordedCall,
    { questions }: Facts,
    { approved }: { readonly approved: boolean },
  ): Promise<Judgement> {
    const decision = this.#engine.decideAll({ ...askerOf(call), questions, approved });
    const { rules } = decision;
    if (decision.allowed) return { kind: "allowed", code: null, rules, obstacle: null };
    if (isPolicyWord(decision.code, rules)) return notAllowed(decision.code, rules);
    // The engine reports after it has answered.
    await Promise.resolve();
    return undecidable(this.#faults.splice(0).at(-1) ?? "the decision engine could not decide");
  }
}

export interface Candidate {
  readonly policy: CompiledPolicy;
  /** What the policy was compiled from, which also says what marks a principal. */
  readonly authority: Authority;
  readonly enabled: ReadonlySet<string>;
}

/** Judges the calls of one log, each once and in the order of their records. */
export class CandidateJudge implements Judge {
  readonly #engine: ListeningEngine;
  readonly #known: ReadonlySet<string>;
  readonly #enabled: ReadonlySet<string>;
  readonly #marks: MarksUnder;

  private constructor(engine: ListeningEngine, { policy, authority, enabled }: Candidate) {
    this.#engine = engine;
    this.#known = new Set(policy.actions.map(({ name }) => name));
    this.#enabled = enabled;
    this.#marks = new MarksUnder(authority, policy.actions);
  }

  /** Throws FEMTO_POLICY_INVALID for a policy that could not come into force. */
  static async open(candidate: Candidate): Promise<CandidateJudge> {
    const engine = await ListeningEngine.open();
    engine.activate(candidate.policy);
    return new CandidateJudge(engine, candidate);
  }

  async judge(call: RecordedCall): Promise<Judgement> {
    const judgement = await this.#judge(this.#marks.supposed(call));
    this.#marks.note(call, judgement.kind === "allowed");
    return judgement;
  }

  async #judge(call: RecordedCall): Promise<Judgement> {
    const capability = capabilityOf(call);
    if (!this.#known.has(capability)) return undecidable("its capability is not registered here");
    if (!this.#enabled.has(capability)) {
      return { kind: "denied", code: "FEMTO_CAPABILITY_DISABLED", rules: [], obstacle: null };
    }
    return await this.#engine.judge(call);
  }
}

/** Decides each call by the policy that its record names, as recorded in the log. */
export class RecordedJudge implements Judge {
  readonly #policies: RecordedPolicies;
  readonly #engine: ListeningEngine;

  protected constructor(policies: RecordedPolicies, engine: ListeningEngine) {
    this.#policies = policies;
    this.#engine = engine;
  }

  /** `currentSchema` is used for records from before records had a schema, if it is the one that they name. */
  static async open(currentSchema: string): Promise<RecordedJudge> {
    const policies = new RecordedPolicies(await PolicyReader.open(), currentSchema);
    return new RecordedJudge(policies, await ListeningEngine.open());
  }

  met(policy: PolicyActivatedBody): void {
    this.#policies.add(policy);
  }

  async judge(call: RecordedCall): Promise<Judgement> {
    const { revision } = call;
    if (revision === null) return undecidable("no policy was in force");
    return await this.judgeBy(revision, call);
  }

  protected async judgeBy(revision: string, call: RecordedCall): Promise<Judgement> {
    const obstacle = revision === this.#engine.revision ? null : await this.#activate(revision);
    return obstacle === null ? await this.#engine.judge(call) : undecidable(obstacle);
  }

  async #activate(revision: string): Promise<string | null> {
    const found = await this.#policies.find(revision);
    if ("obstacle" in found) return found.obstacle;
    try {
      this.#engine.activate(found.policy);
      return null;
    } catch (error) {
      return this.#policies.refuse(revision, errorText(error));
    }
  }
}

/** Decides each call by the rules that were on trial according to its record. */
export class RecordedTrialJudge extends RecordedJudge {
  static override async open(currentSchema: string): Promise<RecordedTrialJudge> {
    const policies = new RecordedPolicies(await PolicyReader.open(), currentSchema);
    return new RecordedTrialJudge(policies, await ListeningEngine.open());
  }

  override met(policy: PolicyActivatedBody): void {
    const onTrial = trialBody(policy);
    if (onTrial !== null) super.met(onTrial);
  }

  override async judge(call: RecordedCall): Promise<Judgement> {
    const { shadow } = call;
    if (shadow === null) return undecidable("no rules were on trial");
    const judgement = await this.judgeBy(shadow.revision, call);
    // A record names no more rules than these.
    return { ...judgement, rules: shownRules(judgement.rules) };
  }
}

/** The rules on trial as if they had been in force; null if there were none. */
export function trialBody(policy: PolicyActivatedBody): PolicyActivatedBody | null {
  const { shadow, shadow_rules: rules = null, ...inForce } = policy;
  return shadow === undefined ? null : { ...inForce, revision: shadow, rules };
}
