/** The policy compiled from the present configuration, asked about past calls: what it says now, and what it lacks. */
import { type CompiledPolicy, type Explanation, type GrantProposal, PolicyReader, remedyFor } from "@femtoclaw/policy";
import { CONNECT_ACTION, errorText, type FactQuestion, type Facts } from "@femtoclaw/protocol";
import { askerOf, CandidateJudge, capabilityOf, type Judge, type RecordedCall } from "@femtoclaw/runtime/redecide";
import { type Entry, entriesOf, meaningOf } from "../configuration/grant-meaning.ts";
import type { LoadedConfiguration } from "../configuration/load-configuration.ts";
import { compiledPolicyOf, registeredManifests } from "../process/preflight.ts";

const NO_TABLE = "asks, and stands in no table that this command changes: change it by hand";
const ASKS_MORE = "asks about more than this call: narrow it by hand, so that the rest is still asked about";

/** A call whose facts were recorded. */
export type ExaminedCall = RecordedCall & { readonly facts: Facts };

/** What would have to be written to permit the call, and what no entry can overcome. */
export interface CallRemedy {
  readonly grants: readonly GrantProposal[];
  /** Entries of `[ask]` that the grants replace, so that operators are not asked any more. */
  readonly settled: readonly Entry[];
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

  /** Explains as if operators had said yes, because no entry is needed for what a yes permits. */
  explain(call: RecordedCall, question: FactQuestion): Promise<Explanation> {
    return this.reader.explain(this.compiled, { ...askerOf(call), question, approved: true });
  }

  async remedy(call: ExaminedCall): Promise<CallRemedy> {
    return await this.#remedy(call, (question) => this.explain(call, question));
  }

  /**
   * What would have to be written so that the asking rules stop asking about this call: each of their entries moves
   * from `[ask]` to `[allow]`. INVARIANT: I8: only an entry that means exactly this use is moved. One that asks about
   * more than was agreed to stays, and a person has to narrow it.
   */
  async settlement(call: ExaminedCall, asking: readonly string[]): Promise<CallRemedy> {
    const { allow, ask } = this.loaded.resolved.authority;
    const { grants, obstacles } = await this.#remedy(call, async () => ({ permitting: [], forbidding: [] }));
    const proposed = new Set(grants.map((grant) => `${grant.table} ${meaningOf(grant)}`));
    const allowed = new Set(entriesOf(allow).map(({ table, meaning }) => `${table} ${meaning}`));
    const asked = entriesOf(ask);
    const settled = new Map<string, Entry>();
    const kept: string[] = [];
    for (const id of asking) {
      const source = this.compiled.rules.find((rule) => rule.id === id)?.source;
      const entry = asked.find((one) => one.source === source);
      if (entry !== undefined && proposed.has(`${entry.table} ${entry.meaning}`)) settled.set(entry.source, entry);
      else kept.push(`${this.places([id])[0]} ${entry === undefined ? NO_TABLE : ASKS_MORE}`);
    }
    const missing = grants.filter((grant) => !allowed.has(`${grant.table} ${meaningOf(grant)}`));
    return { grants: missing, settled: [...settled.values()], obstacles: [...obstacles, ...kept] };
  }

  async #remedy(
    call: ExaminedCall,
    explain: (question: FactQuestion) => Promise<Pick<Explanation, "permitting" | "forbidding">>,
  ): Promise<CallRemedy> {
    const capability = capabilityOf(call);
    const action = this.compiled.actions.find(({ name }) => name === capability);
    if (action === undefined) return { grants: [], settled: [], obstacles: ["its capability is not registered here"] };
    const { authority } = this.loaded.resolved;
    const grants = new Map<string, GrantProposal>();
    const obstacles = new Set<string>();
    if (!enabledNames(this.loaded).has(capability)) {
      obstacles.add(`${capability} is not enabled in this configuration: name it under [capabilities] first`);
    }
    for (const question of call.facts.questions) {
      try {
        const remedy = remedyFor({ question, action, explanation: await explain(question) }, authority);
        for (const grant of remedy.grants) grants.set(JSON.stringify(grant), grant);
        for (const obstacle of remedy.obstacles) obstacles.add(obstacle);
        for (const rule of remedy.forbidding) obstacles.add(this.#forbidden(rule));
      } catch (error) {
        obstacles.add(`this configuration cannot be asked about the call: ${errorText(error)}`);
      }
    }
    return { grants: [...grants.values()], settled: [], obstacles: [...obstacles] };
  }

  /** The rules with the places in the configuration where they were written. */
  places(ids: readonly string[]): readonly string[] {
    return ids.map((id) => `${id} (${this.compiled.rules.find((rule) => rule.id === id)?.source ?? "built in"})`);
  }

  /** No permission outweighs a rule that forbids. */
  #forbidden(id: string): string {
    const rule = this.compiled.rules.find((one) => one.id === id);
    if (rule === undefined) return `the rule ${id} forbids it`;
    if (rule.source === null) return `${id}, which is built in, forbids it, and nothing can allow it: ${rule.reason}`;
    return `${id} (${rule.source}) forbids it, whatever is allowed: take the entry away or narrow it by hand`;
  }
}

/** Makes a judge from a configuration's policy and its enabled capabilities. */
export async function judgeOf(loaded: LoadedConfiguration): Promise<Judge> {
  const { authority } = loaded.resolved;
  return await CandidateJudge.open({
    policy: await compiledPolicyOf(loaded),
    authority,
    enabled: enabledNames(loaded),
  });
}

/** The capabilities that calls may use. Programs connect while they run, without a capability of their own. */
function enabledNames({ resolved }: LoadedConfiguration): ReadonlySet<string> {
  const names = registeredManifests(resolved).map(({ name }) => name);
  const enabled = names.filter((name) => resolved.capabilities.get(name)?.enabled === true);
  return new Set([...enabled, ...(enabled.includes("process_exec") ? [CONNECT_ACTION] : [])]);
}

export function isExamined(call: RecordedCall): call is ExaminedCall {
  return call.facts !== null;
}
