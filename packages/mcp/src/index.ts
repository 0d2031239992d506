/** The MCP server: a thin way from an MCP client to the host's agent socket, over stdio or loopback HTTP. */
import type { HttpOptions, McpHttpServer } from "./http/http-server.ts";

export type { Connect, Proposer } from "./host-session.ts";
export { isToken, newToken, TOKEN_CHARS } from "./http/bearer-token.ts";
export { serveMcpStdio } from "./stdio.ts";

/** Rejects where the port cannot be had. Loaded when it is asked for: over stdio a client waits for each start. */
export async function serveMcpHttp(options: HttpOptions): Promise<McpHttpServer> {
  const { listenHttp } = await import("./http/http-server.ts");
  return await listenHttp(options);
}
