/**
 * Finds what rules read in their syntax trees. A form that is not known here counts as reading everything: that costs
 * speed, but no decision can depend on a value that was left out.
 */
import type { PolicyJson } from "@cedar-policy/cedar-wasm/web";

/** Which attributes of a record are read. A `whole` one is read with everything below it. */
export class AttributeReads {
  readonly members = new Map<string, AttributeReads>();
  whole = false;

  add(path: readonly string[]): void {
    let reads: AttributeReads = this;
    for (const name of path) {
      const member = reads.members.get(name) ?? new AttributeReads();
      reads.members.set(name, member);
      reads = member;
    }
    reads.whole = true;
  }
}

export type Requester = "principal" | "resource";

/** What the visited rules read, all together. */
export class Reads {
  readonly context = new AttributeReads();
  /**
   * Those of which the very identifier and the ancestors are read. Of the others, only the relation to the named
   * entities is read.
   */
  readonly whole = new Set<Requester>();
  /** Identifiers of the entities that rules name, by type. */
  readonly named = new Map<string, Set<string>>();

  add(rule: PolicyJson): this {
    if (!this.#visit(rule)) {
      this.context.whole = true;
      this.whole.add("principal").add("resource");
    }
    return this;
  }

  /** False if the rule has a part that is not known here. */
  #visit(rule: PolicyJson): boolean {
    const { effect: _, action: __, annotations: ___, principal, resource, conditions, ...unknown } = rule;
    if (Object.keys(unknown).length > 0 || !Array.isArray(conditions)) return false;
    const pending: unknown[] = conditions.map(({ body }) => body);
    for (const entity of [...scopeEntities(principal), ...scopeEntities(resource)]) {
      if (!this.#name(entity)) return false;
    }
    // A loop instead of a recursion: a chain of thousands of operands is a tree of that depth.
    while (pending.length > 0) {
      const children = this.#step(pending.pop());
      if (children === null) return false;
      for (const child of children) pending.push(child);
    }
    return true;
  }

  /**
   * Notes what the node itself reads. Returns the nodes that are still to be visited, or null if the node is unknown.
   */
  #step(node: unknown): readonly unknown[] | null {
    const [operator, operand] = operation(node);
    switch (operator) {
      case "Value":
        return this.#readLiteral(operand) ? [] : null;
      case "Var":
        return this.#readVariable(operand) ? [] : null;
      case ".":
      case "has":
        return this.#readAttribute(node, operand);
      case "==":
      case "!=":
      case "in":
      case "is":
        return relatedToLiterals(operator, operand) ?? operands(operator, operand);
      case "Set":
        return Array.isArray(operand) ? operand : null;
      case "Record":
        return isTree(operand) ? Object.values(operand) : null;
      default:
        return operands(operator, operand);
    }
  }

  #readVariable(name: unknown): boolean {
    if (name === "context") this.context.whole = true;
    else if (name === "principal" || name === "resource") this.whole.add(name);
    // Action sets and caches are kept for each action, so its name is always read.
    else return name === "action";
    return true;
  }

  /** Handles `context.a.b`, `context has a` and `context has a.b`. Of any other value the whole is read. */
  #readAttribute(node: unknown, operand: unknown): readonly unknown[] | null {
    const path: string[] = [];
    let left = node;
    for (;;) {
      const [operator, inner] = operation(left);
      if (operator === "Var" && inner === "context") {
        this.context.add(path);
        return [];
      }
      if (operator !== "." && operator !== "has") return operands(".", operand);
      if (!isTree(inner) || !hasOnly(inner, ["left", "attr"])) return null;
      const names: unknown[] = Array.isArray(inner["attr"]) ? inner["attr"] : [inner["attr"]];
      if (!names.every((name) => typeof name === "string")) return null;
      path.unshift(...names);
      left = inner["left"];
    }
  }

  #readLiteral(value: unknown): boolean {
    if (typeof value !== "object") return true;
    return isTree(value) && hasOnly(value, ["__entity"]) && this.#name(value["__entity"]);
  }

  #name(entity: unknown): boolean {
    if (!isTree(entity) || !hasOnly(entity, ["type", "id"])) return false;
    const { type, id } = entity;
    if (typeof type !== "string" || typeof id !== "string") return false;
    const ids = this.named.get(type) ?? new Set();
    this.named.set(type, ids.add(id));
    return true;
  }
}

/** The actions to which a rule can apply; null for any. If the schema has groups, `in` reaches their members. */
export function ruleActions({ action }: PolicyJson, hasGroups: boolean): ReadonlySet<string> | null {
  const entities = scopeEntities(action);
  if (action.op === "All" || entities.length === 0 || (action.op === "in" && hasGroups)) return null;
  const names = entities.map((entity) => (isTree(entity) && entity["type"] === "Action" ? entity["id"] : null));
  return names.every((name) => typeof name === "string") ? new Set(names) : null;
}

type Tree = Readonly<Record<string, unknown>>;

const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null && !Array.isArray(value);

const hasOnly = (tree: Tree, names: readonly string[]): boolean =>
  Object.keys(tree).every((name) => names.includes(name));

/** What a constraint of the scope names. An unknown form yields a value that is no entity. */
function scopeEntities(scope: unknown): readonly unknown[] {
  if (!isTree(scope)) return [scope];
  const { op, entity_type: _, ...constraint } = scope;
  if (op === "is" && "in" in constraint) return scopeEntities({ op: "in", ...(constraint["in"] as Tree) });
  if (op === "All" || op === "is") return Object.keys(constraint).length === 0 ? [] : [null];
  if (op !== "==" && op !== "in") return [null];
  if (Object.keys(constraint).length !== 1) return [null];
  const { entity, entities } = constraint;
  return Array.isArray(entities) ? entities : [entity];
}

/** A node has one member, its operator. Anything else has no known operator. */
function operation(node: unknown): readonly [string, unknown] {
  const entries = isTree(node) ? Object.entries(node) : [];
  return entries.length === 1 && entries[0] !== undefined ? entries[0] : ["", null];
}

const BOTH = ["left", "right"];
/** Which members of an operator's operand are expressions. */
const OPERANDS = new Map<string, readonly string[]>([
  ...["!", "neg", "isEmpty"].map((operator) => [operator, ["arg"]] as const),
  ...["==", "!=", "in", "<", "<=", ">", ">=", "&&", "||", "+", "-", "*"].map((operator) => [operator, BOTH] as const),
  ...["contains", "containsAll", "containsAny", "getTag", "hasTag"].map((operator) => [operator, BOTH] as const),
  ["if-then-else", ["if", "then", "else"]],
  [".", ["left"]],
  ["like", ["left"]],
  ["is", ["left", "in"]],
]);
/** Members that are no expressions and read nothing. */
const NAMES = ["attr", "pattern", "entity_type"];
/** Functions of the language's extensions. What they read stands in their arguments. */
const FUNCTIONS = new Set([
  ...["ip", "isIpv4", "isIpv6", "isLoopback", "isMulticast", "isInRange"],
  ...["decimal", "lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual"],
  ...["datetime", "duration", "offset", "durationSince", "toDate", "toTime"],
  ...["toMilliseconds", "toSeconds", "toMinutes", "toHours", "toDays"],
]);

function operands(operator: string, operand: unknown): readonly unknown[] | null {
  if (FUNCTIONS.has(operator)) return Array.isArray(operand) ? operand : null;
  const expressions = OPERANDS.get(operator);
  if (expressions === undefined || !isTree(operand) || !hasOnly(operand, [...expressions, ...NAMES])) return null;
  return expressions.filter((name) => name in operand).map((name) => operand[name]);
}

/**
 * Handles `resource == E`, `resource in E`, `resource in [E, …]`, `resource is T` and `resource is T in E`, and the
 * same for the principal, where each E is an entity literal. These read only the relation to the named entities,
 * because the type follows from the action. Null for every other comparison.
 */
function relatedToLiterals(operator: string, operand: unknown): readonly unknown[] | null {
  if (!isTree(operand)) return null;
  if (operator === "is") {
    if (!hasOnly(operand, ["left", "entity_type", "in"]) || !isRequester(operand["left"])) return null;
    if (!("in" in operand)) return [];
    return isEntity(operand["in"]) || isEntitySet(operand["in"]) ? [operand["in"]] : null;
  }
  if (!hasOnly(operand, BOTH)) return null;
  const { left, right } = operand;
  if (isRequester(left) && (isEntity(right) || (operator === "in" && isEntitySet(right)))) return [right];
  return operator !== "in" && isRequester(right) && isEntity(left) ? [left] : null;
}

function isRequester(node: unknown): boolean {
  const [operator, name] = operation(node);
  return operator === "Var" && (name === "principal" || name === "resource");
}

function isEntity(node: unknown): boolean {
  const [operator, literal] = operation(node);
  return operator === "Value" && isTree(literal) && "__entity" in literal;
}

function isEntitySet(node: unknown): boolean {
  const [operator, elements] = operation(node);
  return operator === "Set" && Array.isArray(elements) && elements.every(isEntity);
}
