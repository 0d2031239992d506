/** Entries of `[launch]` as rules: which programs operators may launch as which agent. No call can launch one. */
import { AGENT_RUN, type Authority, printable } from "@femtoclaw/protocol";
import type { PolicyAction } from "../schema.ts";
import { entity, literal } from "./cedar-text.ts";
import { type CompiledRule, rule } from "./table-rule.ts";

/**
 * One permit for each entry, numbered in the order of the table. Like every permit, it binds the file behind the name.
 */
export function launchRules({ launch = [] }: Authority, all: readonly PolicyAction[]): CompiledRule[] {
  const actions = all.filter(({ name }) => name === AGENT_RUN).map(({ name }) => name);
  return launch.flatMap(({ program, realPath, principal, source }, index) =>
    rule(
      {
        effect: "permit",
        principal,
        actions,
        resource: `== ${entity("Program", program)}`,
        clause: { kind: "when", condition: `context.real_path == ${literal(realPath)}` },
      },
      {
        id: `toml/launch/${index + 1}`,
        source,
        reason: `an operator may launch ${printable(program)} as the agent ${printable(principal)}`,
      },
    ),
  );
}
