/** Examines policies that records hold: makes them ready to decide again, and explains why they did not permit. */

import type { EnforceablePolicy } from "../compile.ts";
import { actionOf, type DecisionRequest } from "../decisions/request.ts";
import type { Cedar } from "../engine/cedar-instance.ts";
import { type Explanation, explain, type PreparedProbes, prepareProbes } from "./explain.ts";
import { GuardedCedar } from "./guarded-cedar.ts";
import { enforceable, type RecordedPolicy } from "./recorded-policy.ts";

/** Asks policies that stand in records. It has an engine of its own, so nothing in them can harm the one in force. */
export class PolicyReader {
  readonly #cedar: GuardedCedar;
  /** What each instance was asked about last, because the next question is mostly about the same. */
  readonly #prepared = new WeakMap<Cedar, PreparedProbes>();

  private constructor(cedar: GuardedCedar) {
    this.#cedar = cedar;
  }

  /** Starts a reader with an engine of its own. */
  static async open(): Promise<PolicyReader> {
    return new PolicyReader(await GuardedCedar.open());
  }

  /** Throws FEMTO_POLICY_INVALID for a policy by which this FemtoClaw cannot decide. */
  enforceable(policy: RecordedPolicy): Promise<EnforceablePolicy> {
    return this.#cedar.use((cedar) => enforceable(cedar, policy));
  }

  /** Throws FEMTO_POLICY_INVALID for a question that this policy cannot be asked. */
  explain(policy: EnforceablePolicy, request: DecisionRequest): Promise<Explanation> {
    return this.#cedar.use((cedar) => explain(cedar, this.#probes(cedar, policy, actionOf(request)), request));
  }

  #probes(cedar: Cedar, policy: EnforceablePolicy, capability: string): PreparedProbes {
    const last = this.#prepared.get(cedar);
    if (last?.policy === policy && last.capability === capability) return last;
    this.#prepared.delete(cedar);
    const prepared = prepareProbes(cedar, policy, capability);
    this.#prepared.set(cedar, prepared);
    return prepared;
  }
}
