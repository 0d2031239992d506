/** Whether a capability can be of any use under a policy. This is only for lists and decides nothing. */
import { mcpCapability, splitMcpToolName } from "@femtoclaw/protocol";
import type { CompiledPolicy } from "../compile.ts";
import { entity } from "../tables/cedar-text.ts";

/**
 * How the text of a compiled permit begins. A permit that holds only after an operator's yes begins with an annotation.
 */
const PERMIT = /^(?:@approval\("\d+"\)\n)?permit \(/;

/**
 * False only if no rule permits any use of the capability. Nothing is assumed of a rule that somebody wrote in Cedar:
 * it may be about every capability.
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
