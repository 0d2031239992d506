/** The MCP server, a thin layer between an MCP client and the host's agent socket, over stdio or loopback HTTP. */
import type { HttpOptions, McpHttpServer } from "./http/http-server.ts";

export type { Connect, Proposer } from "./host-session.ts";
export { isToken, newToken, TOKEN_CHARS } from "./http/bearer-token.ts";
export { serveMcpStdio } from "./stdio.ts";

/**
 * Rejects if the port cannot be had. The code for HTTP is loaded on demand, because a client over stdio waits for each
 * start.
 */
export async function serveMcpHttp(options: HttpOptions): Promise<McpHttpServer> {
  const { listenHttp } = await import("./http/http-server.ts");
  return await listenHttp(options);
}
