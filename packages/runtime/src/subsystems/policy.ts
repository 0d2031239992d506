/** The policy subsystem: the compiled rules, the engine that holds them, and decisions that fail closed. */

import type { Clock } from "@femtoclaw/journal";
import type { Fault, PolicyContext } from "@femtoclaw/machines";
import {
  type CompiledPolicy,
  compilePolicy,
  type DecisionShare,
  type PolicyEngine,
  type PolicyEngineOptions,
  PolicyTrial,
  toldReason,
} from "@femtoclaw/policy/live";
import {
  type Authority,
  type CapabilityManifest,
  errorText,
  type Facts,
  type HistoryFacts,
  type PolicyActivatedBody,
  type PolicyRule,
} from "@femtoclaw/protocol";
import type { EventObject } from "xstate";
import type { ActorSystem } from "../actors/system.ts";
import type { GateDecision } from "../gate/gate-parts.ts";
import type { PolicyFilesOption, PolicySource } from "../options.ts";
import { Shadow } from "./shadow.ts";

/**
 * Milliseconds before the policy is projected, so that a start and the first calls do not wait for what only makes
 * later decisions faster.
 */
const PROJECT_AFTER_MS = 500;

/** LIMIT: logged faults of one set of rules on trial; it may err at every call, and its status counts all of them. */
const SHADOW_FAULTS_TOLD = 16;

interface PolicyOptions {
  readonly system: ActorSystem;
  readonly manifests: readonly CapabilityManifest[];
  /** Capabilities permitted by name. */
  readonly permit: readonly string[];
  readonly clock: Clock;
  /** Makes a new engine without an active policy. */
  openEngine(options: PolicyEngineOptions): Promise<PolicyEngine>;
  /** Called with the reason when the engine could not decide a call, which was therefore denied. */
  onFault(fault: string): void;
  /** Called with the reason when the rules on trial could not decide a call; nothing was denied for it. */
  onShadowFault(fault: string): void;
  /** The revision that was in force when this journal was last written; null if none is known. */
  readonly activeBefore: string | null;
  /** Called when the engine can no longer be used; the supervisor restarts it. */
  onCrash(reason: string): void;
}

export class Policy {
  readonly #options: PolicyOptions;
  #inForce: PreparedPolicy;

  private constructor(options: PolicyOptions, prepared: PreparedPolicy) {
    this.#options = options;
    this.#inForce = prepared;
  }

  /** Compiles, validates and tries out the policy. Resolves only after the set has answered real decisions. */
  static async load(source: PolicySource, options: PolicyOptions): Promise<Policy> {
    return new Policy(options, await prepareSets(compileFor(source, options), source.policyFiles, options));
  }

  get compiled(): CompiledPolicy {
    return this.#inForce.compiled;
  }

  /** The rules on trial beside those in force; null if there are none. */
  get shadow(): Shadow | null {
    return this.#inForce.shadow;
  }

  get record(): PolicyActivatedBody {
    return activatedBody(this.#inForce);
  }

  /** Compiles another source. Throws FEMTO_POLICY_INVALID. */
  compile(source: PolicySource): CompiledSets {
    return compileFor(source, this.#options);
  }

  /** Prepares a candidate with an engine of its own that has answered real decisions. Nothing in force is touched. */
  async prepare(compiled: CompiledSets, { policyFiles }: PolicySource): Promise<PreparedPolicy> {
    return await prepareSets(compiled, policyFiles, this.#options);
  }

  /** Puts the candidate in force, between two decisions. */
  replace(prepared: PreparedPolicy): void {
    this.#inForce = prepared;
    this.activate();
  }

  /** Tells the machine that a candidate was rejected. */
  reject(revision: string, fault: Fault): void {
    this.#options.system.send("policy", { type: "propose", revision } as EventObject);
    this.#options.system.send("policy", { type: "reject", fault } as EventObject);
  }

  /** Tells the machine that the revision is in force. */
  activate(): void {
    this.#options.system.send("policy", { type: "propose", revision: this.compiled.revision } as EventObject);
    this.#options.system.send("policy", { type: "activate" });
  }

  /** Makes a new engine with the same revision, after a crash. */
  async restart(): Promise<void> {
    // The policy was tried out before it came into force, and is not tried out again. Rules on trial keep their own
    // engine.
    const before = this.#inForce;
    const prepared = await preparePolicy(before.compiled, undefined, this.#options);
    // INVARIANT: I3: another policy that came into force meanwhile has an engine of its own, and stays.
    if (this.#inForce === before) this.#inForce = { ...prepared, shadow: before.shadow };
  }

  // INVARIANT: I3: only a running subsystem with this revision active can permit; any exception denies.
  decide(request: {
    readonly principal: string;
    readonly capability: string;
    readonly questions: Facts["questions"];
    readonly history: HistoryFacts;
    readonly approved: boolean;
    readonly share?: DecisionShare;
  }): GateDecision {
    const { revision } = this.compiled;
    const state = this.#options.system.state("policy");
    if (state?.value !== "active" || (state.context as PolicyContext).active !== revision) {
      return { allowed: false, rules: [], revision: null, code: "FEMTO_POLICY_ERROR", reason: "no policy is active" };
    }
    try {
      const decision = this.#inForce.engine.decideAll(request);
      // The engine replaces a trapped instance by itself. If it has none left, the supervisor has to act.
      if (!this.#inForce.engine.usable) this.#options.onCrash("the decision engine has no instance left");
      if (decision.allowed) return { ...decision, revision };
      return { ...decision, reason: toldReason(decision, this.#inForce.builtIn), revision };
    } catch (error) {
      const reason = `the decision engine failed: ${errorText(error)}`;
      this.#options.onCrash(reason);
      return { allowed: false, rules: [], revision, code: "FEMTO_POLICY_ERROR", reason };
    }
  }
}

export interface PreparedPolicy {
  readonly compiled: CompiledPolicy;
  readonly engine: PolicyEngine;
  /** Reasons of the built-in rules, which are the same everywhere, by rule identifier. */
  readonly builtIn: ReadonlyMap<string, string>;
  readonly shadow: Shadow | null;
}

/** The rules that decide, and those that are only on trial beside them. */
interface CompiledSets {
  readonly compiled: CompiledPolicy;
  readonly shadow: CompiledPolicy | null;
}

async function prepareSets(
  { compiled, shadow }: CompiledSets,
  files: PolicyFilesOption | undefined,
  options: PolicyOptions,
): Promise<PreparedPolicy> {
  const prepared = await preparePolicy(compiled, files, options);
  if (shadow === null) return { ...prepared, shadow: null };
  const { clock } = options;
  let told = 0;
  const onFault = (fault: string): void => {
    told += 1;
    if (told <= SHADOW_FAULTS_TOLD) options.onShadowFault(fault);
  };
  // INVARIANT: I3: the trial has an engine that decides nothing else, so that no trap, no slot and no memory is shared.
  const { engine } = await preparePolicy(shadow, trialFiles(files), { ...options, onFault, activeBefore: null });
  return { ...prepared, shadow: new Shadow({ compiled: shadow, engine, clock }) };
}

/** The files on trial; without any, those in force. */
function trialFiles(files: PolicyFilesOption | undefined): PolicyFilesOption | undefined {
  return files?.shadow ?? files;
}

async function preparePolicy(
  compiled: CompiledPolicy,
  files: PolicyFilesOption | undefined,
  {
    openEngine,
    onFault,
    activeBefore,
    clock,
  }: Pick<PolicyOptions, "openEngine" | "onFault" | "activeBefore" | "clock">,
): Promise<Omit<PreparedPolicy, "shadow">> {
  if (files !== undefined) await tryOut(compiled, files);
  const engine = await openEngine({ onFault });
  engine.activate(compiled, compiled.revision === activeBefore);
  clock.after(PROJECT_AFTER_MS, () => engine.project(), { unref: true });
  const builtIn = compiled.rules.flatMap(({ id, source, reason }) => (source === null ? [[id, reason] as const] : []));
  return { compiled, engine, builtIn: new Map(builtIn) };
}

/** Only rules that somebody wrote in Cedar can trap the engine; the tables compile to shapes that cannot. */
async function tryOut(compiled: CompiledPolicy, { rules, triedRevision }: PolicyFilesOption): Promise<void> {
  if (rules.length === 0 || triedRevision === compiled.revision) return;
  await using trial = new PolicyTrial();
  await trial.activate(compiled);
}

function compileFor({ configuration, policyFiles }: PolicySource, { manifests, permit }: PolicyOptions): CompiledSets {
  const tools = permit.map((name) => ({ name, source: "permit" }));
  const { authority, shadow } = configuration;
  const compile = (rights: Authority, files: PolicyFilesOption | undefined): CompiledPolicy =>
    compilePolicy({ authority: rights, manifests: [...manifests], tools, fileRules: files?.rules ?? [] });
  return {
    compiled: compile(authority, policyFiles),
    shadow: shadow === undefined ? null : compile({ ...authority, ...shadow }, trialFiles(policyFiles)),
  };
}

/** The record's body for a policy that came into force. With it, decisions can be made again as they were made then. */
export function activatedBody({ compiled, shadow }: Pick<PreparedPolicy, "compiled" | "shadow">): PolicyActivatedBody {
  const { revision, engine, schemaSha256, schemaText, rules } = compiled;
  return {
    revision,
    engine,
    schema_sha256: schemaSha256,
    schema: schemaText,
    rules: recordedRules(rules),
    ...(shadow === null
      ? {}
      : { shadow: shadow.compiled.revision, shadow_rules: recordedRules(shadow.compiled.rules) }),
  };
}

function recordedRules(rules: CompiledPolicy["rules"]): PolicyRule[] {
  return rules.map(({ id, text, source, reason, fix }) => ({
    id,
    text,
    source,
    reason,
    ...(fix === undefined ? {} : { fix }),
  }));
}
