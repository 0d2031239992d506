/** An MCP server of the official SDK with nothing around it: the cost of a call that nobody decides on or records. */
import { statSync } from "node:fs";
import { Server } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";

serveStdio(() => {
  const server = new Server({ name: "bare", version: "1.0.0" }, { capabilities: { tools: {} } });
  const properties = { path: { type: "string" } };
  server.setRequestHandler("tools/list", async () => ({
    tools: [{ name: "stat", description: "Tells the size of a file.", inputSchema: { type: "object", properties } }],
  }));
  server.setRequestHandler("tools/call", async ({ params }) => {
    const { size } = statSync(String(params.arguments?.["path"]));
    return { content: [{ type: "text", text: JSON.stringify({ bytes: size }) }] };
  });
  return server;
});
