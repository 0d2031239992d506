/** What a call is told of a tool, a resource or a prompt that is not what was accepted of its server. */
import { printable } from "@femtoclaw/protocol";
import type { Problem } from "../gate/verdict.ts";
import type { ToolState } from "./offer.ts";

/** Null for what is offered. */
export function quarantineProblem(
  what: "tool" | "resource" | "prompt",
  { state, name }: { readonly state: ToolState | undefined; readonly name: string },
  server: string,
): Problem | null {
  if (state === "offered") return null;
  const how = state === "new" ? "is new" : "is not what was accepted";
  const reason = `the ${what} ${printable(name, 200)} of the MCP server ${server} ${how}, and is offered only once an operator agrees`;
  return { code: "FEMTO_TOOL_QUARANTINED", reason };
}
