/** What an MCP server of others answered, on to the client as MCP has it: of each part the fields that are known, and nothing else. */
import { type Reply, splitMcpToolName } from "@femtoclaw/protocol";
import type { CallToolResult } from "@modelcontextprotocol/server";

type Content = CallToolResult["content"];
type Part = Readonly<Record<string, unknown>>;

/** Whether the tool is one of an MCP server of others. */
export function isRelayed(tool: string): boolean {
  return splitMcpToolName(tool) !== null;
}

/** Null for what is no answer of such a server. */
export function relayedResult({ result }: Pick<Reply, "result">): CallToolResult | null {
  const { content, structured_content: structured, is_error: isError, untrusted } = result ?? {};
  if (untrusted !== true || !Array.isArray(content)) return null;
  const isObject = typeof structured === "object" && structured !== null && !Array.isArray(structured);
  return {
    content: content.map((part: Part) => contentOf(part)),
    ...(isObject ? { structuredContent: structured as Record<string, unknown> } : {}),
    ...(isError === true ? { isError: true } : {}),
    _meta: { "dev.femtoclaw/untrusted": true },
  };
}

function contentOf(part: Part): Content[number] {
  const { type, text, data, mimeType } = part;
  if (type === "text" && typeof text === "string") return { type, text };
  if ((type === "image" || type === "audio") && typeof data === "string" && typeof mimeType === "string") {
    return { type, data, mimeType };
  }
  return { type: "text", text: JSON.stringify(part) };
}
