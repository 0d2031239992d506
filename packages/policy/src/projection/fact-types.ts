/**
 * The types of facts, read from the very schema that the revision names. Every fact is checked against them before the
 * projection, so that facts which no rule reads have to be right as well.
 */
import { invalid } from "../engine/activation.ts";
import type { AttributeReads } from "./reads.ts";

export type Fact = boolean | number | string | readonly string[] | FactRecord;
export interface FactRecord {
  readonly [name: string]: Fact;
}

type FactType = "Bool" | "Long" | "String" | "Set<String>" | "datetime" | RecordType;
export type RecordType = ReadonlyMap<string, { readonly type: FactType; readonly required: boolean }>;

/** Types as the engine prints a schema: trees of `type` and its parts. */
export type TypeTree = Readonly<Record<string, unknown>>;

/** Throws FEMTO_POLICY_INVALID for a type that cannot be checked here. */
export function recordType(tree: unknown): RecordType {
  const { type, attributes } = asTree(tree);
  if (type !== "Record") throw invalid("the schema has a context that is no record");
  return new Map(
    Object.entries(asTree(attributes)).map(([name, attribute]) => [
      name,
      { type: factType(attribute), required: asTree(attribute)["required"] !== false },
    ]),
  );
}

function factType(tree: unknown): FactType {
  const { type, element } = asTree(tree);
  switch (type) {
    case "Bool":
    case "Boolean":
      return "Bool";
    case "Long":
    case "String":
    case "datetime":
      return type;
    case "Set":
      if (asTree(element)["type"] === "String") return "Set<String>";
      break;
    case "Record":
      return recordType(tree);
  }
  throw invalid(`the schema has a fact of type ${String(type)}, which nothing checks`);
}

/** The tree in which the names of types are replaced by the types that the schema gives them. */
export function inlinedType(tree: unknown, namedTypes: TypeTree): TypeTree {
  const { type, attributes, ...rest } = asTree(tree);
  if (typeof type === "string" && Object.hasOwn(namedTypes, type)) {
    return { ...inlinedType(namedTypes[type], namedTypes), ...rest };
  }
  if (type !== "Record") return asTree(tree);
  const inlined = Object.entries(asTree(attributes)).map(([name, attribute]) => [
    name,
    inlinedType(attribute, namedTypes),
  ]);
  return { type, ...rest, attributes: Object.fromEntries(inlined) };
}

/** The same tree with only the attributes that are read. */
export function projectedType(tree: unknown, reads: AttributeReads): TypeTree {
  const record = asTree(tree);
  if (reads.whole || record["type"] !== "Record") return record;
  const attributes = Object.entries(asTree(record["attributes"])).flatMap(([name, attribute]) => {
    const member = reads.members.get(name);
    return member === undefined ? [] : [[name, projectedType(attribute, member)] as const];
  });
  return { ...record, attributes: Object.fromEntries(attributes) };
}

function asTree(value: unknown): TypeTree {
  if (typeof value === "object" && value !== null) return value as TypeTree;
  throw invalid("the schema has a form that is not known");
}

/** Why these facts do not match the type, or null: there may be no more, no fewer, and none of another type. */
export function recordFault(value: unknown, type: RecordType): string | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "a fact is no record";
  const facts = value as Readonly<Record<string, unknown>>;
  const names = Object.keys(facts);
  for (const name of names) {
    const attribute = type.get(name);
    if (attribute === undefined) return "there is a fact that the schema does not know";
    if (!hasType(facts[name], attribute.type)) return `the fact ${name} is of another type`;
  }
  // Each fact belongs to the type, and there are as many as the type has, so none is missing.
  if (names.length === type.size) return null;
  for (const [name, { required }] of type) {
    if (required && !Object.hasOwn(facts, name)) return `the fact ${name} is missing`;
  }
  return null;
}

function hasType(fact: unknown, type: FactType): boolean {
  switch (type) {
    case "Bool":
      return typeof fact === "boolean";
    case "Long":
      return Number.isSafeInteger(fact);
    case "String":
      return typeof fact === "string";
    case "Set<String>":
      return Array.isArray(fact) && fact.every((element) => typeof element === "string");
    case "datetime":
      return isTime(fact);
    default:
      return recordFault(fact, type) === null;
  }
}

/** A time is a call that makes it, written by trusted code. No fact of a question can have this form. */
function isTime(fact: unknown): boolean {
  if (!hasExactly(fact, ["__extn"])) return false;
  const call = fact["__extn"];
  return hasExactly(call, ["arg", "fn"]) && call["fn"] === "datetime" && typeof call["arg"] === "string";
}

function hasExactly(value: unknown, names: readonly string[]): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  return Object.keys(value).length === names.length && names.every((name) => Object.hasOwn(value, name));
}

/** Only the facts that the type has. They were checked before. */
export function projectedFacts(facts: FactRecord, type: RecordType): FactRecord {
  const kept: Record<string, Fact> = {};
  for (const [name, attribute] of type) {
    const fact = Object.hasOwn(facts, name) ? facts[name] : undefined;
    if (fact === undefined) continue;
    kept[name] = attribute.type instanceof Map ? projectedFacts(fact as FactRecord, attribute.type) : fact;
  }
  return kept;
}
