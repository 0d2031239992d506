/**
 * Where in a policy a question stands, and where a rule does: behind the folders above a path, behind a program and its
 * first word, a host or a tool. A rule can apply only to questions whose trail leads past its place.
 */
import type { PolicyJson } from "@cedar-policy/cedar-wasm/web";
import { ancestorsOrSelf } from "../canonical-path.ts";
import {
  type Clause,
  type Expression,
  factName,
  type ParsedPolicy,
  scopeEntities,
  termsOf,
} from "../files/expression.ts";
import type { FactRecord, RecordType } from "./fact-types.ts";
import type { ProjectedCall } from "./projected-call.ts";

/** The places from the outermost to the innermost; a place determines all that lie before it. */
export type Trail = readonly string[];

/** What a question is about; of a rule, what a question has to be about for the rule to hold. */
type Subject = Partial<Pick<ProjectedCall, "resource">> & Pick<ProjectedCall, "ancestors" | "context">;

/** By what places are told apart for each type of resource; the type itself stands for the resource's identifier. */
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
 * The trail to the rule's place, found in the rule as the engine parsed it; empty for a rule that may apply anywhere, as
 * may every rule in whose form no place is seen.
 *
 * INVARIANT: I3: on a question whose trail does not lead past the place of a rule, the engine finds that the rule does not
 * hold, and no error in it. So where the rule is not asked no forbid is missed, and no error that would deny. That is why
 * only the scope counts, which never errs, and what the rule looks at next, up to the first part that may err.
 */
export function ruleTrail(rule: PolicyJson, type: string, context: RecordType): Trail {
  const { resource: scope, conditions } = rule as ParsedPolicy;
  const texts = comparedTexts(conditions[0], context);
  const [entity, ...others] = scopeEntities(scope);
  if (entity?.type !== type || others.length > 0) return trailOf(type, { ancestors: [], context: texts });
  const ancestors = ancestorsOrSelf(entity.id).filter((folder) => folder !== entity.id);
  return trailOf(type, { resource: entity.id, ancestors, context: texts });
}

/** The texts that facts have to be for the clause to hold: of the terms that it begins with and that cannot err. */
function comparedTexts(clause: Clause | undefined, context: RecordType): FactRecord {
  const texts = new Map<string, string>();
  const present = new Set([...context].flatMap(([name, { required }]) => (required ? [name] : [])));
  for (const term of clause?.kind === "when" ? termsOf("&&", clause.body) : []) {
    const asked = factName({ ".": term["has"] });
    const [name, text] = comparison(term);
    if (typeof asked === "string") present.add(asked);
    else if (name === null || !present.has(name) || typeof text !== "string") break;
    else if (!texts.has(name)) texts.set(name, text);
  }
  return Object.fromEntries(texts);
}

/** The name of the fact and what it is compared to, for `context.NAME == VALUE`. */
function comparison(term: Expression): readonly [name: string | null, value: unknown] {
  const { left, right } = (term["=="] ?? {}) as { readonly left?: Expression; readonly right?: Expression };
  return [factName(left), right?.["Value"]];
}
