/** The capabilities of the host as MCP tools. */
import { createHash } from "node:crypto";
import type { ToolDescription } from "@femtoclaw/protocol";
import type { Tool } from "@modelcontextprotocol/server";
import { isRelayed } from "./relayed.ts";
import { NOT_COMPLETED } from "./results.ts";

/** Gets the outcome of a call that took too long. It hides a capability of the same name. */
export const WAIT_TOOL = "femtoclaw_wait";

/** LIMIT: tools in one answer, because clients limit the size of a message. */
export const PAGE_TOOLS = 200;

/** The tools of the host in the order of their names, and a digest by which two lists are compared. */
export interface ToolList {
  readonly tools: readonly ToolDescription[];
  readonly digest: string;
}

export function toolList(described: readonly ToolDescription[]): ToolList {
  const tools = described.toSorted((left, right) => (left.name < right.name ? -1 : 1));
  return { tools, digest: createHash("sha256").update(JSON.stringify(tools)).digest("hex") };
}

export interface ToolPage {
  readonly tools: Tool[];
  readonly nextCursor?: string;
}

/** One page in the order of names. The cursor is the last name of the previous page. */
export function toolPage(described: readonly ToolDescription[], cursor: string | undefined): ToolPage {
  const tools = [...described.filter(({ name }) => name !== WAIT_TOOL).map(toolOf), waitTool()];
  tools.sort((left, right) => (left.name < right.name ? -1 : 1));
  const rest = cursor === undefined ? tools : tools.filter(({ name }) => name > cursor);
  const page = rest.slice(0, PAGE_TOOLS);
  const last = page.at(-1);
  return { tools: page, ...(rest.length > page.length && last !== undefined ? { nextCursor: last.name } : {}) };
}

function toolOf({ name, description, input, output, effect, idempotent }: ToolDescription): Tool {
  // The answers of external servers are passed on as they come, so no schema describes them.
  const outputSchema = isRelayed(name) ? null : answerSchema(output);
  return {
    name,
    description,
    inputSchema: input as Tool["inputSchema"],
    ...(outputSchema === null ? {} : { outputSchema }),
    annotations: {
      readOnlyHint: effect === "none" || effect === "read",
      destructiveHint: effect !== "none" && effect !== "read",
      idempotentHint: idempotent,
      openWorldHint: effect === "network" || effect === "execute",
    },
  };
}

/**
 * Schema of an answer: the result, or what happened to the call instead. Null for an output schema with internal
 * references, which would point elsewhere inside another schema.
 */
function answerSchema(output: Readonly<Record<string, unknown>>): Tool["outputSchema"] | null {
  if (/"\$(?:ref|dynamicRef|id|anchor|dynamicAnchor)"/.test(JSON.stringify(output))) return null;
  return { type: "object", anyOf: [output, NOT_COMPLETED] } as Tool["outputSchema"];
}

function waitTool(): Tool {
  return {
    name: WAIT_TOOL,
    description:
      "Waits for the outcome of a call that was answered with the status pending, because an operator is asked about it. Use the execution_id of that answer. It neither repeats the call nor approves it.",
    inputSchema: {
      type: "object",
      additionalProperties: false,
      required: ["execution_id"],
      properties: { execution_id: { type: "string", minLength: 1, maxLength: 64 } },
    },
    annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  };
}
