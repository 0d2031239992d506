/** Whether a capability can be of any use under a policy: for lists that are shown, and for nothing that is decided. */
import { entity } from "./cedar-text.ts";
import type { CompiledPolicy } from "./compile.ts";

/** How the text of a compiled permit begins; one that holds only after an operator's yes says so first. */
const PERMIT = /^(?:@approval\("\d+"\)\n)?permit \(/;

/**
 * False only where no rule permits any use of the capability. Of a rule that somebody wrote in Cedar nothing is taken
 * for granted: it may be about every capability.
 */
export function mayPermit({ rules }: Pick<CompiledPolicy, "rules">, capability: string): boolean {
  const action = entity("Action", capability);
  return rules.some(({ id, text }) =>
    id.startsWith("file/") ? text.includes("permit") : PERMIT.test(text) && text.includes(action),
  );
}
