/**
 * A permit taken apart: each condition that it makes on a call, as a permit of its own. Asked together,
 * those that answer are the conditions that the call meets, and the others are why it was not permitted.
 */
import type { Expr, PolicyJson } from "@cedar-policy/cedar-wasm/web";

/** Asks one condition and nothing else; `All` in its scope stands for anything. */
export type Probe = PolicyJson;

const OPEN: Probe = {
  effect: "permit",
  principal: { op: "All" },
  action: { op: "All" },
  resource: { op: "All" },
  conditions: [],
};

/** The conditions in the order in which the permit has them; none for a permit of every call of its actions. */
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

/** `a && b && c` as its parts, without recursion: a chain can be as long as a text. */
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

/** Whether the condition only asks if a fact is there, which says little about how near a call comes. */
export function isGuard({ conditions: [first] }: Probe): boolean {
  return first?.kind === "when" && "has" in first.body;
}

/** Whether the condition is what the permit says of its agent or its resource. */
export function isScope({ conditions }: Probe): boolean {
  return conditions.length === 0;
}
