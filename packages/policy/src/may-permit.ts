/** Whether a capability can be of any use under a policy: for lists that are shown, and for nothing that is decided. */
import { mcpCapability, splitMcpToolName } from "@femtoclaw/protocol";
import { entity } from "./cedar-text.ts";
import type { CompiledPolicy } from "./compile.ts";

/** How the text of a compiled permit begins; one that holds only after an operator's yes says so first. */
const PERMIT = /^(?:@approval\("\d+"\)\n)?permit \(/;

/**
 * False only where no rule permits any use of the capability. Of a rule that somebody wrote in Cedar nothing is taken
 * for granted: it may be about every capability.
 */
export function mayPermit({ rules }: Pick<CompiledPolicy, "rules">, capability: string): boolean {
  const tool = splitMcpToolName(capability);
  const isAbout = (text: string): boolean => {
    if (text.includes(entity("Action", capability))) return true;
    if (tool === null || !text.includes(entity("Action", mcpCapability(tool.server)))) return false;
    return !text.includes("resource == McpTool::") || text.includes(entity("McpTool", capability));
  };
  return rules.some(({ id, text }) =>
    id.startsWith("file/") ? text.includes("permit") : PERMIT.test(text) && isAbout(text),
  );
}
