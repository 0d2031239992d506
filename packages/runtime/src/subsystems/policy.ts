/** The policy subsystem: the compiled rules, the engine that holds them, and decisions that fail closed. */

import type { PolicyContext } from "@femtoclaw/machines";
import { type CompiledPolicy, compilePolicy, type PolicyEngine, type PolicyEngineOptions } from "@femtoclaw/policy";
import {
  type CapabilityManifest,
  errorText,
  type Facts,
  type HistoryFacts,
  type PolicyActivatedBody,
} from "@femtoclaw/protocol";
import type { EventObject } from "xstate";
import type { ResolvedConfiguration } from "../configuration/resolve-configuration.ts";
import type { GateDecision } from "../gate/gate-parts.ts";
import type { ActorSystem } from "../system.ts";

export interface PolicyOptions {
  readonly system: ActorSystem;
  readonly configuration: ResolvedConfiguration;
  readonly manifests: readonly CapabilityManifest[];
  readonly permit: readonly string[];
  /** Makes a fresh engine without an active policy. */
  openEngine(options: PolicyEngineOptions): Promise<PolicyEngine>;
  /** Hears why the engine could not decide a call that was therefore denied. */
  onFault(fault: string): void;
  /** Called when the engine cannot be used any more; the supervisor restarts it. */
  onCrash(reason: string): void;
}

export class Policy {
  readonly #options: PolicyOptions;
  readonly compiled: CompiledPolicy;
  #engine: PolicyEngine;

  private constructor(options: PolicyOptions, compiled: CompiledPolicy, engine: PolicyEngine) {
    this.#options = options;
    this.compiled = compiled;
    this.#engine = engine;
  }

  /** Compiles, validates and activates; resolves only after the set has answered real decisions. */
  static async load(options: PolicyOptions): Promise<Policy> {
    const compiled = compilePolicy({
      authority: options.configuration.authority,
      manifests: [...options.manifests],
      tools: options.permit.map((name) => ({ name, source: "permit" })),
    });
    return new Policy(options, compiled, await activated(compiled, options));
  }

  get record(): PolicyActivatedBody {
    const { revision, engine, schemaSha256, rules } = this.compiled;
    return {
      revision,
      engine,
      schema_sha256: schemaSha256,
      rules: rules.map(({ id, text, source }) => ({ id, text, source })),
    };
  }

  /** Tells the machine that the revision is in force. */
  activate(): void {
    this.#options.system.send("policy", { type: "propose", revision: this.compiled.revision } as EventObject);
    this.#options.system.send("policy", { type: "activate" });
  }

  /** A fresh engine with the same revision, after a crash. */
  async restart(): Promise<void> {
    this.#engine = await activated(this.compiled, this.#options);
  }

  // INVARIANT: I3: only a running subsystem with this revision active can permit; whatever is thrown denies.
  decide(request: {
    readonly principal: string;
    readonly capability: string;
    readonly questions: Facts["questions"];
    readonly history: HistoryFacts;
    readonly approved: boolean;
  }): GateDecision {
    const { revision } = this.compiled;
    const state = this.#options.system.state("policy");
    if (state?.value !== "active" || (state.context as PolicyContext).active !== revision) {
      return { allowed: false, rules: [], revision: null, code: "FEMTO_POLICY_ERROR", reason: "no policy is active" };
    }
    try {
      const decision = this.#engine.decideAll(request);
      // The engine replaces a trapped instance by itself; one that has none left is the supervisor's affair.
      if (!this.#engine.usable) this.#options.onCrash("the decision engine has no instance left");
      return { ...decision, revision };
    } catch (error) {
      const reason = `the decision engine failed: ${errorText(error)}`;
      this.#options.onCrash(reason);
      return { allowed: false, rules: [], revision, code: "FEMTO_POLICY_ERROR", reason };
    }
  }
}

async function activated(
  compiled: CompiledPolicy,
  { openEngine, onFault }: Pick<PolicyOptions, "openEngine" | "onFault">,
): Promise<PolicyEngine> {
  const engine = await openEngine({ onFault });
  await engine.activate(compiled);
  return engine;
}
