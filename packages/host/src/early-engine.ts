/**
 * The engine that a start puts in force first. Reading a policy into it takes a fifth of a start's time, so it is done where
 * the start waits for others anyway. Nothing is decided by it before the runtime has judged the policy and activated it.
 */
import type { CompiledPolicy, PolicyEngine } from "@femtoclaw/policy/live";

export class EarlyEngine {
  readonly #open: () => Promise<PolicyEngine>;
  #policy: CompiledPolicy | null = null;
  /** Null where none is to be had: before anything is expected, and once somebody has it. */
  #engine: Promise<PolicyEngine | null> | null = null;

  constructor(open: () => Promise<PolicyEngine>) {
    this.#open = open;
  }

  /** Says which policy will come into force, and which engine has read it already, if any has. */
  expect(policy: CompiledPolicy, engine: PolicyEngine | null): void {
    if (engine === null) this.#policy = policy;
    else this.#engine = Promise.resolve(engine);
  }

  /** Begins to read the policy, unless that was begun before. */
  read(): void {
    const policy = this.#policy;
    if (policy === null) return;
    this.#policy = null;
    this.#engine = this.#read(policy);
  }

  /** The engine, once; null where the caller has to open one. */
  async take(): Promise<PolicyEngine | null> {
    const engine = this.#engine;
    this.#policy = null;
    this.#engine = null;
    return await engine;
  }

  /** What is wrong with a policy is found again by whoever activates it, at the moment at which it can be recorded. */
  async #read(policy: CompiledPolicy): Promise<PolicyEngine | null> {
    try {
      const engine = await this.#open();
      engine.load(policy);
      return engine;
    } catch {
      return null;
    }
  }
}
