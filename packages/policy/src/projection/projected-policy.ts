/**
 * A policy cut down to what each action can depend on: the rules that can apply to it, and the facts and entities of a
 * request that these rules read. What rules read is taken from their syntax trees as the engine parsed them.
 */
import type { PolicyJson, SchemaJson } from "@cedar-policy/cedar-wasm/web";
import { printable } from "@femtoclaw/protocol";
import { messages } from "../decisions/decision.ts";
import { invalid } from "../engine/activation.ts";
import type { Cedar } from "../engine/cedar-instance.ts";
import { RuleSet, type RuleText } from "../engine/rule-set.ts";
import { inlinedType, projectedType, type RecordType, recordType, type TypeTree } from "./fact-types.ts";
import { Reads, type Requester, ruleActions } from "./reads.ts";
import { type Slices, slicesOf } from "./slices.ts";
import { ruleTrail } from "./trail.ts";

export interface ProjectedPolicy {
  readonly schemaName: string;
  readonly schema: SchemaJson<string>;
  readonly sets: readonly NamedRuleSet[];
  readonly actions: ReadonlyMap<string, ProjectedAction>;
}

/** Rules that are asked together, and the engine's name for them. */
export interface NamedRuleSet {
  readonly name: string;
  readonly rules: RuleSet;
}

export interface ProjectedAction {
  readonly name: string;
  readonly schemaName: string;
  /** The rules that can apply to the action, by the place of the question. */
  readonly slices: Slices<NamedRuleSet>;
  readonly resourceType: string;
  /** All that the context of a request must have. */
  readonly context: RecordType;
  /** The part of the context that a rule reads. */
  readonly read: RecordType;
  readonly principal: EntityProjection;
  readonly resource: EntityProjection;
}

/** Which entities a rule can tell apart: those that are named, or all of them. */
export interface EntityProjection {
  readonly whole: boolean;
  readonly named: ReadonlySet<string>;
  /** Stands for every entity that no rule names. No rule names this one either. */
  readonly unnamed: string;
}

/** Throws FEMTO_POLICY_INVALID. Any other exception is a trap of the engine. */
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
  const sets = new NamedRuleSets(slot, rules);
  const shared = new Map<string, ActionProjection>();
  const actions = new Map<string, ProjectedAction>();
  const schemaActions: Record<string, ActionTree> = {};
  for (const [name, action] of Object.entries(schema.actions)) {
    const type = resourceType(name, action);
    const applying = new Map([...parsed.entries()].filter(([rule]) => appliesTo[rule]?.has(name) ?? true));
    // Actions that differ only in their names share one projection.
    const key = JSON.stringify([action.appliesTo, ...applying.keys()]);
    const alike = shared.get(key) ?? projectAction(type, contextType(action, schema), applying, sets);
    shared.set(key, alike);
    schemaActions[name] = { ...action, appliesTo: { ...action.appliesTo, context: alike.contextType } } as ActionTree;
    actions.set(name, { ...alike.action, name, schemaName });
  }
  return {
    schemaName,
    schema: { "": { ...schema, commonTypes: {}, actions: schemaActions } },
    sets: sets.all(),
    actions,
  };
}

interface ActionProjection {
  readonly contextType: TypeTree;
  readonly action: Omit<ProjectedAction, "name" | "schemaName">;
}

/** Projects an action on resources of this type. `rules` are those that can apply to the action, by number. */
function projectAction(
  resourceType: string,
  fullContext: TypeTree,
  rules: ReadonlyMap<number, PolicyJson>,
  sets: NamedRuleSets,
): ActionProjection {
  const reads = new Reads();
  for (const rule of rules.values()) reads.add(rule);
  const contextType = projectedType(fullContext, reads.context);
  const context = recordType(fullContext);
  const trails = new Map(Array.from(rules, ([number, rule]) => [number, ruleTrail(rule, resourceType, context)]));
  return {
    contextType,
    action: {
      slices: slicesOf(trails, (numbers) => sets.of(numbers)),
      resourceType,
      context,
      read: recordType(contextType),
      principal: entityProjection("principal", "Agent", reads),
      resource: entityProjection("resource", resourceType, reads),
    },
  };
}

/** Keeps each set of rules that are asked together only once, whatever the actions and places that use it. */
class NamedRuleSets {
  readonly #slot: string;
  readonly #rules: readonly RuleText[];
  readonly #sets = new Map<string, NamedRuleSet>();

  constructor(slot: string, rules: readonly RuleText[]) {
    this.#slot = slot;
    this.#rules = rules;
  }

  of(numbers: readonly number[]): NamedRuleSet {
    const key = numbers.join();
    const set = this.#sets.get(key) ?? {
      name: `${this.#slot}/${this.#sets.size}`,
      rules: new RuleSet(numbers.map((number) => this.#rules[number] as RuleText)),
    };
    this.#sets.set(key, set);
    return set;
  }

  all(): readonly NamedRuleSet[] {
    return [...this.#sets.values()];
  }
}

/** Gives the engine the schema and the rule sets that the projected questions refer to. */
export function preparseProjected(cedar: Cedar, { schemaName, schema, sets }: ProjectedPolicy): void {
  const answers = [
    cedar.preparseSchema(schemaName, schema),
    ...sets.map(({ name, rules }) => cedar.preparsePolicySet(name, { staticPolicies: rules.text })),
  ];
  for (const answer of answers) if (answer.type !== "success") throw invalid(messages(answer.errors));
}

type SchemaTree = SchemaJson<string>[string];
type ActionTree = SchemaTree["actions"][string];

function contextType({ appliesTo }: ActionTree, { commonTypes = {} }: SchemaTree): TypeTree {
  return inlinedType(appliesTo?.context ?? { type: "Record", attributes: {} }, commonTypes);
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

/**
 * INVARIANT: each text is one whole rule; the engine accepts neither two rules nor one that goes on in the next text.
 */
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
