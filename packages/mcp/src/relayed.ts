/** Passes the answer of an external MCP server on to the client. Of each part only known fields are passed on. */
import { type Reply, splitMcpToolName } from "@femtoclaw/protocol";
import type { CallToolResult, ReadResourceResult } from "@modelcontextprotocol/server";

type Content = CallToolResult["content"];
type Part = Readonly<Record<string, unknown>>;

/** Whether the tool belongs to an external MCP server. */
export function isRelayed(tool: string): boolean {
  return splitMcpToolName(tool) !== null;
}

/** Null if this is no answer of such a server. */
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

/** A part that is no valid MCP content is passed on as JSON text. */
export function contentOf(part: Part): Content[number] {
  const { type, text, data, mimeType } = part;
  if (type === "text" && typeof text === "string") return { type, text };
  if ((type === "image" || type === "audio") && typeof data === "string" && typeof mimeType === "string") {
    return { type, data, mimeType };
  }
  if (type === "resource") {
    const resource = resourceOf(part["resource"]);
    if (resource !== null) return { type, resource };
  }
  const { uri, name, title, description } = part;
  if (type === "resource_link" && typeof uri === "string" && typeof name === "string") {
    return { type, uri, name, ...texts({ title, description, mimeType }) };
  }
  return { type: "text", text: JSON.stringify(part) };
}

/** The content of a resource; null if there is none. */
export function resourceOf(resource: unknown): ReadResourceResult["contents"][number] | null {
  const { uri, mimeType, text, blob } = Object(resource) as Part;
  if (typeof uri !== "string") return null;
  const about = { uri, ...texts({ mimeType }) };
  if (typeof text === "string") return { ...about, text };
  return typeof blob === "string" ? { ...about, blob } : null;
}

function texts(members: Part): Record<string, string> {
  return Object.fromEntries(
    Object.entries(members).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
