/**
 * Tries a candidate policy out before it reaches the engine that decides: reading, validating, one decision for each
 * action, and the policy's own tests. All this happens in a separate thread and with a time limit.
 */
import assert from "node:assert/strict";
import type { Worker } from "node:worker_threads";
import { errorText, FemtoError } from "@femtoclaw/protocol";
import { startTrialThread } from "#trial-thread";
import type { CompiledPolicy } from "../compile.ts";
import type { Decision } from "../decisions/decision.ts";
import type { PolicyEngine } from "../engine/engine.ts";
import type { PolicyAction } from "../schema.ts";
import type { PolicyFile, PolicyReading } from "./file-rule.ts";

type DecideAllRequest = Parameters<PolicyEngine["decideAll"]>[0];

export type TrialCall =
  | { readonly kind: "read"; readonly files: readonly PolicyFile[]; readonly actions: readonly PolicyAction[] }
  | { readonly kind: "activate"; readonly policy: CompiledPolicy }
  | { readonly kind: "decide"; readonly request: DecideAllRequest };

export type TrialAnswer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly isKnown: boolean; readonly message: string };

/**
 * LIMIT: milliseconds for one step; a thousand policies need a second, and a start should not hang on one that loops.
 */
const STEP_MS = 20_000;
/** LIMIT: MiB of the thread's heap; a thousand policies need some 100 MB. */
const HEAP_MB = 512;

interface TrialLimits {
  readonly stepMs?: number;
  readonly heapMb?: number;
}

/**
 * A thread with an engine of its own, in which unknown policies are tried out. It is ended if they take too much time
 * or memory.
 */
export class PolicyTrial implements AsyncDisposable {
  /** Started by the first step. */
  #worker: Worker | null = null;
  #asked: PromiseWithResolvers<TrialAnswer> | null = null;
  #broken: FemtoError | null = null;
  readonly #stepMs: number;
  readonly #heapMb: number;

  constructor({ stepMs = STEP_MS, heapMb = HEAP_MB }: TrialLimits = {}) {
    this.#stepMs = stepMs;
    this.#heapMb = heapMb;
  }

  /** The rules of Cedar files, and what is wrong with them. */
  async read(files: readonly PolicyFile[], actions: readonly PolicyAction[]): Promise<PolicyReading> {
    return (await this.#ask({ kind: "read", files, actions })) as PolicyReading;
  }

  /** Throws FEMTO_POLICY_INVALID, as the activation in the real engine would. */
  async activate(policy: CompiledPolicy): Promise<void> {
    await this.#ask({ kind: "activate", policy });
  }

  /** Asks the policy that was activated in this thread. */
  async decideAll(request: DecideAllRequest): Promise<Decision> {
    return (await this.#ask({ kind: "decide", request })) as Decision;
  }

  /**
   * INVARIANT: a thread that does not answer in time, or ends, has failed for good; neither silence nor a late answer
   * is a yes.
   */
  async #ask(call: TrialCall): Promise<unknown> {
    assert(this.#asked === null, "answers come in order, so one step follows another");
    if (this.#broken !== null) throw this.#broken;
    const worker = this.#begun();
    const asked = Promise.withResolvers<TrialAnswer>();
    this.#asked = asked;
    const timer = setTimeout(() => this.#fail(`it took longer than ${this.#stepMs} ms there`), this.#stepMs);
    try {
      worker.postMessage(call);
      const answer = await asked.promise;
      if (answer.ok) return answer.value;
      throw answer.isKnown ? new FemtoError("FEMTO_POLICY_INVALID", answer.message) : unusable(answer.message);
    } finally {
      this.#asked = null;
      clearTimeout(timer);
    }
  }

  /**
   * The listeners stay between steps. Otherwise, if the thread ended there, the next step would wait for ever, or the
   * error of the thread would end this process.
   */
  #begun(): Worker {
    if (this.#worker !== null) return this.#worker;
    this.#worker = newWorker(this.#heapMb);
    this.#worker.on("message", (answer: TrialAnswer) => this.#asked?.resolve(answer));
    this.#worker.on("error", (error) => this.#fail(`it failed there: ${errorText(error)}`));
    this.#worker.on("exit", () => this.#fail("it ended there"));
    return this.#worker;
  }

  #fail(finding: string): void {
    this.#broken ??= unusable(finding);
    this.#asked?.reject(this.#broken);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.terminate();
  }
}

/** The worker gets neither the environment nor the flags of this process: it only reads policies and answers. */
function newWorker(maxOldGenerationSizeMb: number): Worker {
  return startTrialThread({ env: {}, execArgv: [], resourceLimits: { maxOldGenerationSizeMb } });
}

function unusable(finding: string): FemtoError {
  return new FemtoError("FEMTO_POLICY_INVALID", `the policy was tried out in a thread of its own, and ${finding}`);
}
