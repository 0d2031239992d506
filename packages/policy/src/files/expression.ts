/** How Cedar writes a parsed policy as JSON, and the few ways in which lint examines it. */
import assert from "node:assert/strict";

/** An object with one member: its name is the operator, its value the operands. */
export type Expression = Readonly<Record<string, unknown>>;

export interface EntityId {
  readonly type: string;
  readonly id: string;
}

export interface Scope {
  readonly op: "All" | "==" | "in" | "is";
  readonly entity?: EntityId;
  readonly entities?: readonly EntityId[];
  readonly entity_type?: string;
  readonly in?: { readonly entity: EntityId };
}

export interface Clause {
  readonly kind: "when" | "unless";
  readonly body: Expression;
}

/** What `policyToJson` returns for a policy that is not a template. */
export interface ParsedPolicy {
  readonly effect: "permit" | "forbid";
  readonly principal: Scope;
  readonly action: Scope;
  readonly resource: Scope;
  readonly conditions: readonly Clause[];
  readonly annotations?: Readonly<Record<string, string | null>>;
}

export interface Operation {
  readonly name: string;
  readonly operands: readonly Expression[];
  readonly value: unknown;
}

const LEAVES: ReadonlySet<string> = new Set(["Value", "Var", "Slot"]);
const OPERAND_NAMES = ["left", "right", "arg", "if", "then", "else", "in"] as const;

export function operation(expression: Expression): Operation {
  const [entry, ...others] = Object.entries(expression);
  assert(entry !== undefined && others.length === 0, "an expression has one operator");
  const [name, value] = entry;
  return { name, value, operands: LEAVES.has(name) ? [] : operandsOf(name, value) };
}

function operandsOf(name: string, value: unknown): readonly Expression[] {
  if (Array.isArray(value)) return value as readonly Expression[];
  const members = value as Readonly<Record<string, Expression>>;
  if (name === "Record") return Object.values(members);
  return OPERAND_NAMES.map((member) => members[member]).filter((operand) => operand !== undefined);
}

/** Every expression of a policy, outer ones first. */
export function* expressionsOf(policy: ParsedPolicy): Generator<Expression> {
  const open = policy.conditions.map(({ body }) => body);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    yield next;
    open.push(...operation(next).operands);
  }
}

/** Splits `a && b && c` into three terms; anything else is one term. */
export function termsOf(operator: "&&" | "||", expression: Expression): Expression[] {
  const terms: Expression[] = [];
  const open = [expression];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { name, operands } = operation(next);
    if (name === operator) open.push(...operands.toReversed());
    else terms.push(next);
  }
  return terms;
}

/** What must hold for the policy to apply, besides its scope: the terms of all `when` clauses. */
export function requiredTerms(policy: ParsedPolicy): Expression[] {
  return policy.conditions.flatMap(({ kind, body }) => (kind === "when" ? termsOf("&&", body) : []));
}

/** The entity, if the expression is an entity literal. */
function entityLiteral(expression: Expression | undefined): EntityId | null {
  const value = expression?.["Value"];
  if (typeof value !== "object" || value === null || !("__entity" in value)) return null;
  return value.__entity as EntityId;
}

/** The entities of a literal or of a set of literals; null for anything else. */
export function entityLiterals(expression: Expression | undefined): readonly EntityId[] | null {
  const elements = expression?.["Set"];
  const found = (Array.isArray(elements) ? elements : [expression]).map(entityLiteral);
  return found.every((entity) => entity !== null) ? found : null;
}

export function scopeEntities({ entity, entities, in: inside }: Scope): readonly EntityId[] {
  return [
    ...(entity === undefined ? [] : [entity]),
    ...(entities ?? []),
    ...(inside === undefined ? [] : [inside.entity]),
  ];
}

/**
 * Every entity that a policy names, in its scope or anywhere in its conditions. INVARIANT: of a request's folders, the
 * engine is sent only those that a policy names, so none may be overlooked here.
 */
export function entitiesOf(policy: ParsedPolicy): EntityId[] {
  const literals = [...expressionsOf(policy)].flatMap((expression) => entityLiteral(expression) ?? []);
  const scoped = [policy.principal, policy.action, policy.resource].flatMap(scopeEntities);
  const distinct = new Map(
    [...scoped, ...literals].map((entity) => [JSON.stringify([entity.type, entity.id]), entity]),
  );
  return [...distinct.values()];
}

/** The name of the fact, for `context.NAME`. */
export function factName(expression: Expression | undefined): string | null {
  const access = expression?.["."] as { readonly left: Expression; readonly attr: string } | undefined;
  return access?.left["Var"] === "context" ? access.attr : null;
}

export function isVariable(expression: Expression | undefined, name: string): boolean {
  return expression?.["Var"] === name;
}

/** The texts of a literal or of a set of literals; null for anything else. */
export function textLiterals(expression: Expression | undefined): readonly string[] | null {
  const elements = expression?.["Set"];
  const found = (Array.isArray(elements) ? elements : [expression]).map(
    (element: Expression | undefined) => element?.["Value"],
  );
  return found.every((text) => typeof text === "string") ? found : null;
}
