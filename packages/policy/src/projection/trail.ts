/**
 * The place of a question and of a rule in a policy: behind the folders above a path, behind a program and its first
 * word, a host or a tool. A rule can apply only to questions whose trail passes its place.
 */
import type { PolicyJson } from "@cedar-policy/cedar-wasm/web";
import {
  type Clause,
  type Expression,
  factName,
  type ParsedPolicy,
  type Scope,
  scopeEntities,
  termsOf,
} from "../files/expression.ts";
import { ancestorsOrSelf, pathFault } from "../tables/canonical-path.ts";
import type { FactRecord, RecordType } from "./fact-types.ts";
import type { ProjectedCall } from "./projected-call.ts";

/** The places from the outermost to the innermost. A place determines all places before it. */
export type Trail = readonly string[];

/** What a question is about; for a rule, what a question must be about for the rule to hold. */
type Subject = Pick<ProjectedCall, "ancestors" | "context"> & { readonly resource: string | undefined };

/** What distinguishes places for each type of resource. The type itself stands for the resource's identifier. */
const STEPS: Readonly<Record<string, readonly string[]>> = {
  Program: ["Program", "word"],
  Host: ["host"],
  McpTool: ["McpTool"],
};

export function trailOf(type: string, { resource, ancestors, context }: Subject): Trail {
  if (type === "Path") return resource === undefined ? [] : [...ancestors, resource];
  const trail: string[] = [];
  const passed: string[] = [];
  for (const step of STEPS[type] ?? []) {
    const value = step === type ? resource : context[step];
    if (typeof value !== "string") break;
    passed.push(value);
    trail.push(JSON.stringify(passed));
  }
  return trail;
}

/**
 * The trail to the rule's place, found in the rule as the engine parsed it. It is empty for a rule that may apply
 * anywhere, and for every rule whose form shows no place.
 *
 * INVARIANT: I3: for a question whose trail does not pass the place of a rule, the engine would find that the rule does
 * not hold, without an error. So leaving the rule out misses no forbid, and no error that would deny. That is why only
 * two parts count: the scope, which never errs, and the terms that the rule evaluates next, up to the first one that
 * may err.
 */
export function ruleTrail(rule: PolicyJson, type: string, facts: RecordType): Trail {
  const { resource: scope, conditions } = rule as ParsedPolicy;
  const resource = demandedResource(scope, type);
  const folders = type === "Path" && resource !== undefined ? ancestorsOrSelf(resource) : [];
  const context = comparedTexts(conditions[0], facts);
  return trailOf(type, { resource, ancestors: folders.filter((folder) => folder !== resource), context });
}

/**
 * Undefined if the scope demands no resource, or one that no question can be about because its path is faulty or too
 * long.
 */
function demandedResource(scope: Scope, type: string): string | undefined {
  const [entity, ...others] = scopeEntities(scope);
  if (entity?.type !== type || others.length > 0) return undefined;
  return type === "Path" && pathFault(entity.id) !== null ? undefined : entity.id;
}

/**
 * The texts that facts must equal for the clause to hold. Only the leading terms count, up to the first one that may
 * err.
 */
function comparedTexts(clause: Clause | undefined, facts: RecordType): FactRecord {
  const texts = new Map<string, string>();
  const present = new Set([...facts].flatMap(([name, { required }]) => (required ? [name] : [])));
  for (const term of clause?.kind === "when" ? termsOf("&&", clause.body) : []) {
    const asked = factName({ ".": term["has"] });
    const [name, text] = comparison(term);
    if (typeof asked === "string") present.add(asked);
    else if (name === null || !present.has(name) || typeof text !== "string") break;
    else if (!texts.has(name)) texts.set(name, text);
  }
  return Object.fromEntries(texts);
}

/** The name of the fact and the value it is compared to, for `context.NAME == VALUE`. */
function comparison(term: Expression): readonly [name: string | null, value: unknown] {
  const { left, right } = (term["=="] ?? {}) as { readonly left?: Expression; readonly right?: Expression };
  return [factName(left), right?.["Value"]];
}
