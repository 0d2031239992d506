/** Makes a policy from a record ready to decide once more. Whatever the record does not vouch for is refused. */
import type { PolicyJson } from "@cedar-policy/cedar-wasm/web";
import { ENGINE_VERSION, type EnforceablePolicy, policyRevision } from "../compile.ts";
import { messages } from "../decisions/decision.ts";
import { invalid } from "../engine/activation.ts";
import type { Cedar } from "../engine/cedar-instance.ts";
import type { PolicyAction, ResourceType } from "../schema.ts";

/** The parts of a policy that its record holds. */
export interface RecordedPolicy {
  readonly revision: string;
  readonly engine: string;
  readonly schemaText: string;
  readonly rules: readonly { readonly id: string; readonly text: string }[];
}

/** LIMIT: rules of a recorded policy that are examined, a hundred times as many as the largest honest policy has. */
const RULES_MAX = 50_000;

export function enforceable(cedar: Cedar, policy: RecordedPolicy): EnforceablePolicy {
  const { revision, engine, schemaText, rules } = policy;
  if (engine !== ENGINE_VERSION) throw invalid(`it was made for another engine (${engine})`);
  if (rules.length > RULES_MAX) throw invalid(`it has more than ${RULES_MAX} rules`);
  if (new Set(rules.map(({ id }) => id)).size !== rules.length) throw invalid("two of its rules have one id");
  if (policyRevision(engine, schemaText, rules) !== revision) throw invalid("the revision does not name these rules");
  const parsed = rules.map(({ id, text }) => ({ id, text, json: parseRule(cedar, text) }));
  return {
    revision,
    engine,
    schemaText,
    actions: actionsOf(cedar, schemaText),
    rules: parsed.map(({ id, text, json }) => ({ id, text, ...approversOf(json) })),
    namedPaths: [...new Set(parsed.flatMap(({ json }) => namedPaths(json)))].sort(),
  };
}

export function parseRule(cedar: Cedar, text: string): PolicyJson {
  const answer = cedar.policyToJson(text);
  if (answer.type !== "success") throw invalid(messages(answer.errors));
  return answer.json;
}

const RESOURCE_TYPES: readonly string[] = ["Path", "Program", "Host", "McpTool", "Tool"] satisfies ResourceType[];

function actionsOf(cedar: Cedar, schemaText: string): Pick<PolicyAction, "name" | "resource">[] {
  const answer = cedar.schemaToJson(schemaText);
  if (answer.type !== "success") throw invalid(messages(answer.errors));
  return Object.entries(answer.json[""]?.actions ?? {}).map(([name, { appliesTo }]) => {
    const [resource, ...others] = appliesTo?.resourceTypes ?? [];
    if (resource === undefined || others.length > 0 || !RESOURCE_TYPES.includes(resource)) {
      throw invalid("its schema has an action that this FemtoClaw does not know");
    }
    return { name, resource: resource as ResourceType };
  });
}

/** Without a number it is one. A recorded rule with any other value was not made by FemtoClaw. */
const APPROVERS = /^[1-9]?$/;

/** The rule's own text says how many operators it asks, and the revision covers that text. */
function approversOf({ annotations = {} }: PolicyJson): { readonly approvers?: number } {
  if (!Object.hasOwn(annotations, "approval")) return {};
  const written = annotations["approval"] ?? "";
  if (!APPROVERS.test(written)) throw invalid("a rule does not say how many operators it asks");
  return { approvers: Number(written) || 1 };
}

/** Every path that the rule names as a literal entity, in its scope or in a condition. */
function namedPaths(rule: PolicyJson): string[] {
  const found: string[] = [];
  const open: unknown[] = [rule.resource, rule.conditions];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== "object" || next === null) continue;
    const { type, id } = next as { readonly type?: unknown; readonly id?: unknown };
    if (type === "Path" && typeof id === "string") found.push(id);
    // Absent members are replaced by null, because `undefined` would end the walk.
    for (const value of Object.values(next)) open.push(value ?? null);
  }
  return found;
}
