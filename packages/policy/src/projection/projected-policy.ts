/**
 * A policy cut down to what each action can depend on: the rules that can apply to it, and of a request the
 * facts and entities that these rules read. What is read is taken from the rules as the engine parsed them.
 */
import type { PolicyJson, SchemaJson } from "@cedar-policy/cedar-wasm/web";
import type { Cedar } from "../cedar-instance.ts";
import { messages } from "../decision.ts";
import { invalid } from "../policy-invalid.ts";
import { projectedType, type RecordType, recordType } from "./fact-types.ts";
import { Reads, type Requester, ruleActions } from "./reads.ts";

export interface ProjectedPolicy {
  readonly schemaName: string;
  readonly schema: SchemaJson<string>;
  readonly sets: readonly RuleSet[];
  readonly actions: ReadonlyMap<string, ProjectedAction>;
}

/** The rules of one or more actions, as one text: the engine reads that three times as fast as one by one. */
export interface RuleSet {
  readonly name: string;
  readonly text: string;
  /** Identifiers in the order of the text; the engine calls the rules `policy0`, `policy1` and so on. */
  readonly ruleIds: readonly string[];
}

export interface ProjectedAction {
  readonly name: string;
  readonly schemaName: string;
  readonly set: RuleSet;
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

interface Rule {
  readonly id: string;
  readonly text: string;
}

/** Throws FEMTO_POLICY_INVALID; anything else that it throws is a trap of the engine. */
export function projectPolicy(cedar: Cedar, slot: string, schemaText: string, rules: readonly Rule[]): ProjectedPolicy {
  const schema = schemaTree(cedar, schemaText);
  const hasGroups = Object.values(schema.actions).some(({ memberOf = [] }) => memberOf.length > 0);
  // INVARIANT: each text is one rule, so the rules of the joined text are these and in this order.
  const parsed = rules.map(({ text }) => parseRule(cedar, text));
  const appliesTo = parsed.map((rule) => ruleActions(rule, hasGroups));
  const shared = new Map<string, { readonly set: RuleSet; readonly reads: Reads }>();
  const actions = new Map<string, ProjectedAction>();
  const projected: Record<string, (typeof schema.actions)[string]> = {};
  for (const [name, action] of Object.entries(schema.actions)) {
    const indices = rules.map((_, index) => index).filter((index) => appliesTo[index]?.has(name) ?? true);
    const key = indices.join();
    const group = shared.get(key) ?? { set: ruleSet(`${slot}/${shared.size}`, rules, indices), reads: new Reads() };
    if (!shared.has(key)) for (const index of indices) group.reads.add(parsed[index] as PolicyJson);
    shared.set(key, group);
    const [resourceType, ...others] = action.appliesTo?.resourceTypes ?? [];
    if (resourceType === undefined || others.length > 0) throw invalid(`${name} is not about one type of resource`);
    const context = action.appliesTo?.context ?? { type: "Record", attributes: {} };
    const read = projectedType(context, group.reads.context);
    projected[name] = { ...action, appliesTo: { ...action.appliesTo, context: read } } as typeof action;
    actions.set(name, {
      name,
      schemaName: slot,
      set: group.set,
      resourceType,
      context: recordType(context),
      read: recordType(read),
      principal: entityProjection("principal", "Agent", group.reads),
      resource: entityProjection("resource", resourceType, group.reads),
    });
  }
  return {
    schemaName: slot,
    schema: { "": { ...schema, actions: projected } },
    sets: [...shared.values()].map(({ set }) => set),
    actions,
  };
}

function schemaTree(cedar: Cedar, schemaText: string): SchemaJson<string>[string] {
  const answer = cedar.schemaToJsonWithResolvedTypes(schemaText);
  if (answer.type !== "success") throw invalid(messages(answer.errors));
  const { "": schema, ...namespaces } = answer.json;
  if (schema === undefined || Object.keys(namespaces).length > 0) throw invalid("the schema has a namespace");
  return schema;
}

function parseRule(cedar: Cedar, text: string): PolicyJson {
  const answer = cedar.policyToJson(text);
  if (answer.type !== "success") throw invalid(messages(answer.errors));
  return answer.json;
}

function ruleSet(name: string, rules: readonly Rule[], indices: readonly number[]): RuleSet {
  const members = indices.map((index) => rules[index] as Rule);
  return { name, text: members.map(({ text }) => text).join("\n"), ruleIds: members.map(({ id }) => id) };
}

function entityProjection(requester: Requester, type: string, reads: Reads): EntityProjection {
  const named = reads.named.get(type) ?? new Set<string>();
  let unnamed = "";
  while (named.has(unnamed)) unnamed += "-";
  return { whole: reads.whole.has(requester), named, unnamed };
}
