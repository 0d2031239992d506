/** The policy that the configuration compiles to, asked about calls of the past: what it says now, and what it lacks. */
import { type CompiledPolicy, type Explanation, type GrantProposal, PolicyReader, remedyFor } from "@femtoclaw/policy";
import { errorText, type FactQuestion, type Facts } from "@femtoclaw/protocol";
import { askerOf, CandidateJudge, capabilityOf, type Judge, type RecordedCall } from "@femtoclaw/runtime";
import type { LoadedConfiguration } from "../configuration/load-configuration.ts";
import { compiledPolicyOf, registeredManifests } from "../preflight.ts";

/** A call whose facts are there. */
export type ExaminedCall = RecordedCall & { readonly facts: Facts };

/** What would have to be written so that the call is permitted, and what nothing written permits. */
export interface CallRemedy {
  readonly grants: readonly GrantProposal[];
  readonly obstacles: readonly string[];
}

export class PresentPolicy {
  readonly loaded: LoadedConfiguration;
  readonly compiled: CompiledPolicy;
  readonly reader: PolicyReader;

  private constructor(loaded: LoadedConfiguration, compiled: CompiledPolicy, reader: PolicyReader) {
    this.loaded = loaded;
    this.compiled = compiled;
    this.reader = reader;
  }

  static async of(loaded: LoadedConfiguration): Promise<PresentPolicy> {
    return new PresentPolicy(loaded, await compiledPolicyOf(loaded), await PolicyReader.open());
  }

  judge(): Promise<Judge> {
    return judgeOf(this.loaded);
  }

  /** As if operators had said yes: what a yes lifts is nothing that an entry is needed for. */
  explain(call: RecordedCall, question: FactQuestion): Promise<Explanation> {
    return this.reader.explain(this.compiled, { ...askerOf(call), question, approved: true });
  }

  async remedy(call: ExaminedCall): Promise<CallRemedy> {
    const capability = capabilityOf(call);
    const action = this.compiled.actions.find(({ name }) => name === capability);
    if (action === undefined) return { grants: [], obstacles: ["its capability is not registered here"] };
    const { authority, capabilities } = this.loaded.resolved;
    const grants = new Map<string, GrantProposal>();
    const obstacles = new Set<string>();
    if (capabilities.get(capability)?.enabled !== true) {
      obstacles.add(`${capability} is not enabled in this configuration: name it under [capabilities] first`);
    }
    for (const question of call.facts.questions) {
      try {
        const explanation = await this.explain(call, question);
        const remedy = remedyFor({ question, action, explanation }, authority);
        for (const grant of remedy.grants) grants.set(JSON.stringify(grant), grant);
        for (const obstacle of remedy.obstacles) obstacles.add(obstacle);
        for (const rule of remedy.forbidding) obstacles.add(this.#forbidden(rule));
      } catch (error) {
        obstacles.add(`this configuration cannot be asked about the call: ${errorText(error)}`);
      }
    }
    return { grants: [...grants.values()], obstacles: [...obstacles] };
  }

  /** The rules with the places in the configuration where they were written. */
  places(ids: readonly string[]): readonly string[] {
    return ids.map((id) => `${id} (${this.compiled.rules.find((rule) => rule.id === id)?.source ?? "built in"})`);
  }

  /** Nothing that is allowed outweighs a rule that forbids. */
  #forbidden(id: string): string {
    const rule = this.compiled.rules.find((one) => one.id === id);
    if (rule === undefined) return `the rule ${id} forbids it`;
    if (rule.source === null) return `${id}, which is built in, forbids it, and nothing can allow it: ${rule.reason}`;
    return `${id} (${rule.source}) forbids it, whatever is allowed: take the entry away or narrow it by hand`;
  }
}

/** Asks the policy of a configuration, and whether the capability is enabled in it. */
export async function judgeOf(loaded: LoadedConfiguration): Promise<Judge> {
  const { capabilities } = loaded.resolved;
  const names = registeredManifests(loaded.resolved).map(({ name }) => name);
  const enabled = new Set(names.filter((name) => capabilities.get(name)?.enabled === true));
  return await CandidateJudge.open(await compiledPolicyOf(loaded), enabled);
}

export function isExamined(call: RecordedCall): call is ExaminedCall {
  return call.facts !== null;
}
