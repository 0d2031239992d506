/** `policy check` and `policy show`: the set that the configuration compiles to. Neither needs a host. */
import { createPolicyEngine, describePolicy } from "@femtoclaw/policy";
import { EXIT } from "@femtoclaw/protocol";
import { compiledPolicyOf } from "../preflight.ts";
import type { CommandContext } from "./command-context.ts";

/** Compiles, validates and tries out the set, as a start would. */
export async function checkPolicy(context: CommandContext): Promise<number> {
  const compiled = compiledPolicyOf(context.load());
  const engine = await createPolicyEngine();
  await engine.activate(compiled);
  const { revision, rules } = compiled;
  if (context.output.json) context.output.value({ revision, rules: rules.length, valid: true });
  else context.output.line(`the policy is valid: ${rules.length} rules, revision ${revision}`);
  return EXIT.ok;
}

export function showPolicy(context: CommandContext): number {
  const compiled = compiledPolicyOf(context.load());
  if (context.output.json) context.output.value(compiled);
  else context.output.line(describePolicy(compiled));
  return EXIT.ok;
}
