/**
 * A policy cut down to what each action can depend on: the rules that can apply to it, and of a request the
 * facts and entities that these rules read. What is read is taken from the rules as the engine parsed them.
 */
import type { PolicyJson, SchemaJson } from "@cedar-policy/cedar-wasm/web";
import { printable } from "@femtoclaw/protocol";
import { invalid } from "../activation.ts";
import type { Cedar } from "../cedar-instance.ts";
import { messages } from "../decision.ts";
import { RuleSet, type RuleText } from "../rule-set.ts";
import { inlinedType, projectedType, type RecordType, recordType } from "./fact-types.ts";
import { Reads, type Requester, ruleActions } from "./reads.ts";

export interface ProjectedPolicy {
  readonly schemaName: string;
  readonly schema: SchemaJson<string>;
  readonly sets: readonly NamedRuleSet[];
  readonly actions: ReadonlyMap<string, ProjectedAction>;
}

/** The rules that can apply to one or more actions, and the name under which the engine keeps them. */
export interface NamedRuleSet {
  readonly name: string;
  readonly rules: RuleSet;
}

export interface ProjectedAction {
  readonly name: string;
  readonly schemaName: string;
  readonly set: NamedRuleSet;
  readonly resourceType: string;
  /** All that the context of a request must have. */
  readonly context: RecordType;
  /** What of it a rule reads. */
  readonly read: RecordType;
  readonly principal: EntityProjection;
  readonly resource: EntityProjection;
}

/** Which entities a rule can tell apart: those that are named, or all of them. */
export interface EntityProjection {
  readonly whole: boolean;
  readonly named: ReadonlySet<string>;
  /** Stands for every entity that no rule names; itself named by none. */
  readonly unnamed: string;
}

/** Throws FEMTO_POLICY_INVALID; anything else that it throws is a trap of the engine. */
export function projectPolicy(
  cedar: Cedar,
  slot: string,
  schemaText: string,
  rules: readonly RuleText[],
): ProjectedPolicy {
  const schemaName = `${slot}/schema`;
  const schema = schemaTree(cedar, schemaText);
  const hasGroups = Object.values(schema.actions).some(({ memberOf = [] }) => memberOf.length > 0);
  const parsed = rules.map((rule) => parseRule(cedar, rule));
  const appliesTo = parsed.map((rule) => ruleActions(rule, hasGroups));
  const shared = new Map<string, { readonly set: NamedRuleSet; readonly reads: Reads }>();
  const actions = new Map<string, ProjectedAction>();
  const schemaActions: Record<string, ActionTree> = {};
  for (const [name, action] of Object.entries(schema.actions)) {
    const indices = rules.map((_, index) => index).filter((index) => appliesTo[index]?.has(name) ?? true);
    const key = indices.join();
    const group = shared.get(key) ?? {
      set: { name: `${slot}/${shared.size}`, rules: new RuleSet(indices.map((index) => rules[index] as RuleText)) },
      reads: indices.reduce((reads, index) => reads.add(parsed[index] as PolicyJson), new Reads()),
    };
    shared.set(key, group);
    const types = contextTypes(action, schema.commonTypes ?? {}, group.reads);
    schemaActions[name] = { ...action, appliesTo: { ...action.appliesTo, context: types.read } } as ActionTree;
    actions.set(name, {
      name,
      schemaName,
      set: group.set,
      resourceType: resourceType(name, action),
      context: recordType(types.all),
      read: recordType(types.read),
      principal: entityProjection("principal", "Agent", group.reads),
      resource: entityProjection("resource", resourceType(name, action), group.reads),
    });
  }
  return {
    schemaName,
    schema: { "": { ...schema, commonTypes: {}, actions: schemaActions } },
    sets: [...shared.values()].map(({ set }) => set),
    actions,
  };
}

/** Gives the engine what the projected questions name. */
export function preparseProjected(cedar: Cedar, { schemaName, schema, sets }: ProjectedPolicy): void {
  const answers = [
    cedar.preparseSchema(schemaName, schema),
    ...sets.map(({ name, rules }) => cedar.preparsePolicySet(name, { staticPolicies: rules.text })),
  ];
  for (const answer of answers) if (answer.type !== "success") throw invalid(messages(answer.errors));
}

type SchemaTree = SchemaJson<string>[string];
type ActionTree = SchemaTree["actions"][string];

function contextTypes({ appliesTo }: ActionTree, namedTypes: NonNullable<SchemaTree["commonTypes"]>, reads: Reads) {
  const all = inlinedType(appliesTo?.context ?? { type: "Record", attributes: {} }, namedTypes);
  return { all, read: projectedType(all, reads.context) };
}

function resourceType(name: string, { appliesTo }: ActionTree): string {
  const [type, ...others] = appliesTo?.resourceTypes ?? [];
  if (type === undefined || others.length > 0) throw invalid(`${printable(name)} is not about one type of resource`);
  return type;
}

function schemaTree(cedar: Cedar, schemaText: string): SchemaTree {
  const answer = cedar.schemaToJsonWithResolvedTypes(schemaText);
  if (answer.type !== "success") throw invalid(messages(answer.errors));
  const { "": schema, ...namespaces } = answer.json;
  if (schema === undefined || Object.keys(namespaces).length > 0) throw invalid("the schema has a namespace");
  return schema;
}

/** INVARIANT: each text is one whole rule; the engine takes no two, and none that goes on in the next. */
function parseRule(cedar: Cedar, { id, text }: RuleText): PolicyJson {
  const answer = cedar.policyToJson(text);
  if (answer.type !== "success") throw invalid(`${printable(id)}: ${messages(answer.errors)}`);
  return answer.json;
}

function entityProjection(requester: Requester, type: string, reads: Reads): EntityProjection {
  const named = reads.named.get(type) ?? new Set<string>();
  let unnamed = "";
  while (named.has(unnamed)) unnamed += "-";
  return { whole: reads.whole.has(requester), named, unnamed };
}
