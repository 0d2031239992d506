/** What the engine is asked: only the projected values. A key contains every one of them. */
import type { StatefulAuthorizationCall } from "@cedar-policy/cedar-wasm/web";
import type { CheckedRequest } from "../decisions/request.ts";
import { ancestorsOrSelf } from "../tables/canonical-path.ts";
import { type Fact, type FactRecord, projectedFacts } from "./fact-types.ts";
import type { EntityProjection, NamedRuleSet, ProjectedAction } from "./projected-policy.ts";
import { sliceAt } from "./slices.ts";
import { trailOf } from "./trail.ts";

export interface ProjectedCall {
  /** The engine does not see this name, but the reason of its decision contains it. */
  readonly capability: string;
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  /** The ancestors of the resource that a rule can tell apart, each by a direct edge. */
  readonly ancestors: readonly string[];
  readonly context: FactRecord;
}

/** Requires a context that was checked in full. */
export function projectedCall(
  { capability, principal, resource }: CheckedRequest,
  context: FactRecord,
  action: ProjectedAction,
): ProjectedCall {
  return {
    capability,
    principal: projectedId(principal, action.principal),
    action: action.name,
    resource: projectedId(resource.id, action.resource),
    ancestors: resource.type === "Path" ? projectedAncestors(resource.id, action.resource) : [],
    context: projectedFacts(context, action.read),
  };
}

function projectedId(id: string, { whole, named, unnamed }: EntityProjection): string {
  return whole || named.has(id) ? id : unnamed;
}

function projectedAncestors(path: string, { whole, named }: EntityProjection): string[] {
  return ancestorsOrSelf(path).filter((ancestor) => ancestor !== path && (whole || named.has(ancestor)));
}

/** The action's rules that can apply to the call. */
export function callRules(call: ProjectedCall, { resourceType, slices }: ProjectedAction): NamedRuleSet {
  return sliceAt(slices, trailOf(resourceType, call));
}

// INVARIANT: the engine, and the choice of its rules, depend on nothing that the key of the call does not contain.
export function engineCall(
  call: ProjectedCall,
  { resourceType, schemaName }: ProjectedAction,
  { name }: NamedRuleSet,
): StatefulAuthorizationCall {
  const resource = { type: resourceType, id: call.resource };
  const parents = call.ancestors.map((id) => ({ type: resourceType, id }));
  return {
    principal: { type: "Agent", id: call.principal },
    action: { type: "Action", id: call.action },
    resource,
    context: call.context as StatefulAuthorizationCall["context"],
    entities: parents.length === 0 ? [] : [{ uid: resource, attrs: {}, parents }],
    preparsedPolicySetId: name,
    preparsedSchemaName: schemaName,
    validateRequest: true,
  };
}

/**
 * An injective key: every text is preceded by its length, every list and record by its size, every value by its kind;
 * absent facts are not counted. Under one revision, two calls with the same key are the same call.
 */
export function callKey({ capability, principal, action, resource, ancestors, context }: ProjectedCall): string {
  const texts = encodedText(capability) + encodedText(principal) + encodedText(action) + encodedText(resource);
  return texts + encoded(ancestors) + encoded(context);
}

function encoded(fact: Fact): string {
  if (typeof fact === "boolean") return fact ? "t" : "f";
  if (typeof fact === "number") return `${fact};`;
  if (typeof fact === "string") return encodedText(fact);
  let key: string;
  if (Array.isArray(fact)) {
    key = `[${fact.length};`;
    for (const element of fact) key += encodedText(element);
    return key;
  }
  const entries = Object.entries(fact as FactRecord);
  key = `{${entries.length};`;
  for (const [name, value] of entries) key += encodedText(name) + encoded(value);
  return key;
}

function encodedText(text: string): string {
  return `"${text.length};${text}`;
}
