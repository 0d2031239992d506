/** The operators of the configuration, whose signatures count. Each has one name and one key. */
import { parseOperatorKey } from "@femtoclaw/journal/signatures";
import type { Configuration } from "@femtoclaw/protocol";
import type { Places } from "./places.ts";

export interface OperatorSettings {
  /** Public keys, each as name+id+key. */
  readonly operators: readonly string[];
  /** Whether every answer has to be signed by one of them. */
  readonly operatorKey: boolean;
}

// INVARIANT: I8: two entries mean two people; a key that stood twice would say yes twice.
export function resolveOperators(configuration: Configuration, places: Places): OperatorSettings {
  const { operators = [], operator_key: operatorKey = false } = configuration.approvals ?? {};
  const known = operators.map(parseOperatorKey);
  for (const [index, operator] of known.entries()) {
    const place = ["approvals", "operators", index];
    if (operator === null) {
      places.fault(
        place,
        "expected the public key of an operator, in the form name+id+key that `femtoclaw keys operator` prints",
      );
      continue;
    }
    const before = known.slice(0, index).filter((other) => other !== null);
    if (before.some(({ name }) => name === operator.name)) {
      places.fault(place, `another operator is called \`${operator.name}\` already`);
    } else if (before.some(({ publicKey }) => publicKey.equals(operator.publicKey))) {
      places.fault(place, "this key is that of another operator already");
    }
  }
  if (operatorKey && operators.length === 0) {
    places.fault(["approvals", "operator_key"], "nobody could answer, because there is no key under `operators`");
  }
  for (const [place, needed = 1] of askedNumbers(configuration)) {
    if (needed === 1 || needed <= operators.length) continue;
    const named = operators.length === 1 ? "1 operator has" : `${operators.length} operators have`;
    places.fault(place, `${named} a key under [approvals].operators, so ${needed} can never say yes`);
  }
  return { operators, operatorKey };
}

/** How many operators each table asks, with its place. */
function askedNumbers({ ask, agent = {} }: Configuration): [readonly string[], number | undefined][] {
  const agents = Object.entries(agent).map(([name, tables]): [readonly string[], number | undefined] => {
    return [["agent", name, "ask", "operators"], tables.ask?.operators];
  });
  return [[["ask", "operators"], ask?.operators], ...agents];
}
