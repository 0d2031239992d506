/**
 * Checks how much a policy reaches. A permit has to say which resources it opens; a question has to be one that an
 * approval answers; and what a forbid hides from file tools is hidden from programs too.
 */
import type { PolicyAction } from "../schema.ts";
import {
  type EntityId,
  type Expression,
  entityLiterals,
  expressionsOf,
  factName,
  isVariable,
  operation,
  type ParsedPolicy,
  requiredTerms,
  scopeEntities,
  termsOf,
  textLiterals,
} from "./expression.ts";
import { comparison } from "./lint-shape.ts";

export function breadthFindings(policy: ParsedPolicy, actions: readonly PolicyAction[]): string[] {
  return policy.effect === "forbid" || isUnsafe(policy) ? [] : openFindings(policy, actions);
}

const UNSAFE = 'or say that this is meant with @unsafe("why")';

function openFindings(policy: ParsedPolicy, actions: readonly PolicyAction[]): string[] {
  if (isResourceBound(policy)) return [];
  const opened = coveredActions(policy, actions).filter(({ effect }) => effect !== "none");
  const named = policy.action.op !== "All";
  // A tool without a resource is permitted by its name, so only the name can narrow it.
  const open = opened.filter(({ resource }) => resource !== "Tool" || !named);
  if (open.length === 0) return [];
  const names = open.map(({ name }) => name).join(", ");
  return [
    `this permits every use of ${names}; bind the resource, as in \`resource in Path::".."\`, \`resource == Program::".."\`, \`resource == Host::".."\` or \`resource == McpTool::".."\`, ${UNSAFE}`,
  ];
}

export function isUnsafe({ annotations = {} }: ParsedPolicy): boolean {
  return Object.hasOwn(annotations, "unsafe");
}

/** The actions to which the policy applies according to its scope. */
function coveredActions({ action, resource }: ParsedPolicy, actions: readonly PolicyAction[]): PolicyAction[] {
  const named = action.op === "All" ? null : new Set(scopeEntities(action).map(({ id }) => id));
  const type = resource.entity_type ?? scopeEntities(resource)[0]?.type;
  return actions.filter(
    (candidate) => (named === null || named.has(candidate.name)) && (type === undefined || candidate.resource === type),
  );
}

function isResourceBound(policy: ParsedPolicy): boolean {
  return scopeEntities(policy.resource).length > 0 || requiredTerms(policy).some((term) => bindsResource(term));
}

function bindsResource(term: Expression): boolean {
  if (boundEntities(term) !== null) return true;
  const compared = comparison(term);
  // A digest alone does not count: it names a file that nobody who reads the policy knows.
  if (compared?.fact === "real_path" || compared?.fact === "host")
    return compared.operator === "==" || compared.operator === "contains";
  const alternatives = termsOf("||", term);
  if (alternatives.length > 1)
    return alternatives.every((one) => termsOf("&&", one).some((inner) => bindsResource(inner)));
  return false;
}

/** The entities in which the resource lies if the term holds; null if the term says nothing about the resource. */
function boundEntities(term: Expression): readonly EntityId[] | null {
  const { name, operands } = operation(term);
  const [left, right] = operands;
  if ((name === "==" || name === "in" || name === "is") && isVariable(left, "resource")) return entityLiterals(right);
  if (name === "==" && isVariable(right, "resource")) return entityLiterals(left);
  if (name === "contains" && isVariable(right, "resource")) return entityLiterals(left);
  if (name !== "||") return null;
  // INVARIANT: what counts as bound is bound for every check. An alternative is bound by any of its conditions.
  const found = termsOf("||", term).map((one) => termsOf("&&", one).map(boundEntities).find(isBound) ?? null);
  return found.every((entities) => entities !== null) ? found.flat() : null;
}

const isBound = (entities: readonly EntityId[] | null): entities is readonly EntityId[] => entities !== null;

/**
 * Whether a permit fixes the first argument and lists the options, which is necessary for a program that can run other
 * code.
 */
export function limitsArguments(policy: ParsedPolicy): boolean {
  const terms = requiredTerms(policy);
  const hasWord = terms.some((term) => {
    const compared = comparison(term);
    return compared?.fact === "word" && ["==", "contains"].includes(compared.operator);
  });
  const hasFlags = terms.some((term) => {
    const { name, operands } = operation(term);
    if (name === "isEmpty") return factName(operands[0]) === "flags";
    return name === "containsAll" && textLiterals(operands[0]) !== null && factName(operands[1]) === "flags";
  });
  return hasWord && hasFlags;
}

/** Real files that a permit names by a fact instead of by resource. */
export function namedFiles(policy: ParsedPolicy): string[] {
  return [...expressionsOf(policy)].flatMap((expression) => {
    const compared = comparison(expression);
    return compared?.fact === "real_path" ? compared.texts : [];
  });
}

/** The paths to which a permit lets calls write. */
export function writtenPaths(policy: ParsedPolicy, actions: readonly PolicyAction[]): string[] {
  const writes = coveredActions(policy, actions).some(
    ({ resource, effect }) => resource === "Path" && effect !== "read" && effect !== "none",
  );
  if (policy.effect === "forbid" || !writes || isUnsafe(policy)) return [];
  const scope = scopeEntities(policy.resource);
  const bound = scope.length > 0 ? scope : requiredTerms(policy).map(boundEntities).find(isBound);
  return (bound ?? []).map(({ id }) => id);
}

const APPROVED: Expression = { ".": { left: { Var: "context" }, attr: "approved" } };

/**
 * A question is a forbid that an approval lifts, and nothing else. So the clause stands alone, as `unless {
 * context.approved }`, and no other policy looks at approvals.
 */
export function approvalFindings(policy: ParsedPolicy): string[] {
  const { effect, conditions, annotations = {} } = policy;
  const asks = Object.hasOwn(annotations, "approval");
  const reads = [...expressionsOf(policy)].filter((expression) => factName(expression) === "approved").length;
  if (!asks && reads === 0) return [];
  const lifts = conditions.filter(
    ({ kind, body }) => kind === "unless" && JSON.stringify(body) === JSON.stringify(APPROVED),
  );
  if (!asks)
    return ["`context.approved` is for policies that ask: add @approval to this forbid, or take the condition out"];
  if (effect === "forbid" && lifts.length === 1 && reads === 1) return [];
  return ["@approval stands on a forbid with the clause `unless { context.approved }` of its own, and nowhere else"];
}

interface ForbiddenPaths {
  /** Paths that programs may neither read nor change. */
  readonly hidden: readonly string[];
  /** Paths that programs may not change. */
  readonly kept: readonly string[];
  /** Whether file tools are forbidden something that programs are not, because no path says what. */
  readonly missesPrograms: boolean;
}

/** Returns more than the policy forbids: its other conditions are facts of a call, and a program makes no calls. */
export function forbiddenPaths(policy: ParsedPolicy, actions: readonly PolicyAction[]): ForbiddenPaths {
  const covered = policy.effect === "permit" ? [] : coveredActions(policy, actions);
  const files = covered.filter(({ resource, effect }) => resource === "Path" && effect !== "none");
  if (files.length === 0) return { hidden: [], kept: [], missesPrograms: false };
  const scope = scopeEntities(policy.resource);
  const terms = forbiddingTerms(policy);
  const bound = scope.length > 0 ? scope : terms.map(boundEntities).find(isBound);
  const paths = (bound ?? terms.flatMap(namedEntities)).map(({ id }) => id);
  const programs = actions.filter(({ resource }) => resource === "Program");
  const missesPrograms = bound === undefined && !programs.every((action) => covered.includes(action));
  const reads = files.some(({ effect }) => effect === "read");
  return { hidden: reads ? paths : [], kept: reads ? [] : paths, missesPrograms };
}

/** What must hold for a forbid to apply; `unless { !x }` is `when { x }`. */
function forbiddingTerms(policy: ParsedPolicy): Expression[] {
  const opposites = policy.conditions.flatMap(({ kind, body }) => (kind === "unless" ? termsOf("||", body) : []));
  const negated = opposites.flatMap((term) => (operation(term).name === "!" ? operation(term).operands : []));
  return [...requiredTerms(policy), ...negated.flatMap((term) => termsOf("&&", term))];
}

/** Entities that the term may be about, among others: what is forbidden in any of its cases. */
function namedEntities(term: Expression): readonly EntityId[] {
  const { name, operands } = operation(term);
  if (name === "||" || name === "&&") return operands.flatMap(namedEntities);
  if (name === "if-then-else") return operands.slice(1).flatMap(namedEntities);
  return boundEntities(term) ?? [];
}
