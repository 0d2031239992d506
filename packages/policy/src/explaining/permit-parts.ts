/**
 * Takes a permit apart: each condition that it makes on a call becomes a permit of its own. All are asked together.
 * Those that answer are the conditions that the call meets; the others are the reason why it was not permitted.
 */
import type { Expr, PolicyJson } from "@cedar-policy/cedar-wasm/web";

/** A permit that asks about one condition only. `All` in its scope stands for anything. */
export type Probe = PolicyJson;

const OPEN: Probe = {
  effect: "permit",
  principal: { op: "All" },
  action: { op: "All" },
  resource: { op: "All" },
  conditions: [],
};

/** The conditions in the order in which the permit states them; none if it permits every call of its actions. */
export function probesOf({ principal, resource, conditions }: PolicyJson): Probe[] {
  return [
    ...(principal.op === "All" ? [] : [{ ...OPEN, principal }]),
    ...(resource.op === "All" ? [] : [{ ...OPEN, resource }]),
    ...conditions.flatMap(({ kind, body }) =>
      kind === "when"
        ? conjuncts(body).map((part): Probe => ({ ...OPEN, conditions: [{ kind, body: part }] }))
        : [{ ...OPEN, conditions: [{ kind, body }] }],
    ),
  ];
}

/** Splits `a && b && c` into its parts without recursion, because a chain can be as long as a text. */
function conjuncts(expression: Expr): Expr[] {
  const found: Expr[] = [];
  const open: Expr[] = [expression];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if ("&&" in next) {
      const { left, right } = next["&&"] as { left: Expr; right: Expr };
      open.push(right, left);
    } else {
      found.push(next);
    }
  }
  return found;
}

/** Whether the rule says something about calls of this capability. */
export function concerns({ action }: PolicyJson, capability: string): boolean {
  switch (action.op) {
    case "All":
      return true;
    case "==":
      return "entity" in action && idOf(action.entity) === capability;
    case "in":
      return ("entities" in action ? action.entities : [action.entity]).some((one) => idOf(one) === capability);
  }
}

function idOf(uid: { readonly __entity: { readonly id: string } } | { readonly id: string }): string {
  return "__entity" in uid ? uid.__entity.id : uid.id;
}

/** Whether the condition only asks if a fact is present, which says little about how near a call comes. */
export function isGuard({ conditions: [first] }: Probe): boolean {
  return first?.kind === "when" && "has" in first.body;
}

/** Whether the condition comes from the permit's scope, which is about its agent or its resource. */
export function isScope({ conditions }: Probe): boolean {
  return conditions.length === 0;
}
