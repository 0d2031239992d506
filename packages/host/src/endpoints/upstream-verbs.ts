/** What an operator may ask about the MCP servers of others: what they offer, and which offers are accepted. */
import { LIMITS, type ToolPin } from "@femtoclaw/protocol";
import type { Runtime } from "@femtoclaw/runtime";
import { invalid, refuseUnknown } from "./request-fields.ts";
import type { OperatorVerbs } from "./verb-handlers.ts";

export function upstreamVerbs(runtime: Pick<Runtime, "upstreams">, by: () => string): OperatorVerbs<"upstreams"> {
  return {
    "upstreams.list": async (fields) => {
      refuseUnknown(fields);
      await runtime.upstreams.settled();
      return await runtime.upstreams.compared();
    },
    "upstreams.accept": async ({ server, tools, ...rest }) => {
      refuseUnknown(rest);
      if (typeof server !== "string") throw invalid("`server` must be a string");
      await runtime.upstreams.accept(server, pinsOf(tools), by());
      return null;
    },
    "upstreams.reset": async ({ server, ...rest }) => {
      refuseUnknown(rest);
      if (typeof server !== "string") throw invalid("`server` must be a string");
      await runtime.upstreams.reset(server, by());
      return null;
    },
  };
}

/** `field` names the list in errors. */
export function pinsOf(tools: unknown, field = "tools"): ToolPin[] {
  if (!Array.isArray(tools) || tools.length > LIMITS.upstreamPins) throw invalid(`\`${field}\` must be a list of pins`);
  return tools.map((tool) => {
    const { name, sha256, ...rest } = Object(tool) as Readonly<Record<string, unknown>>;
    refuseUnknown(rest);
    const isPin = typeof name === "string" && name.length <= LIMITS.pathBytes;
    if (!isPin || typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256)) {
      throw invalid(`each of \`${field}\` must have a \`name\` and a \`sha256\``);
    }
    return { name, sha256 };
  });
}
