/** pi speaks no MCP by itself. This extension for pi offers the tools of the MCP server, and nothing else. */

/** The text of the extension. `command` is the MCP server's program and its arguments. */
export function piExtension(command: readonly string[], environment: Readonly<Record<string, string>>): string {
  return `// Offers the tools of FemtoClaw to pi. Start: pi --no-builtin-tools --extension FILE
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const COMMAND = ${JSON.stringify(command)};
const ENVIRONMENT = ${JSON.stringify(environment)};
${BODY}`;
}

/**
 * INVARIANT: I8: what the MCP server prints holds results that strangers wrote. No key of it becomes a prototype, and a
 * line that is no message ends the server instead of pi.
 */
const BODY = String.raw`
export default async function (pi) {
  const [program, ...args] = COMMAND;
  const env = { ...process.env, ...ENVIRONMENT };
  const server = spawn(program, args, { env, stdio: ["pipe", "pipe", "inherit"] });
  const waiting = new Map();
  let ended = false;
  const end = () => {
    ended = true;
    for (const { reject } of waiting.values()) reject(new Error("the MCP server of FemtoClaw has ended"));
    waiting.clear();
  };
  server.on("error", end);
  server.on("close", end);
  server.stdin.on("error", end);
  createInterface({ input: server.stdout }).on("line", (line) => {
    try {
      const { id, result, error } = JSON.parse(line, (key, value) => (key === "__proto__" ? undefined : value));
      const asked = waiting.get(id);
      if (error === undefined) asked?.resolve(result);
      else asked?.reject(new Error(error.message));
      waiting.delete(id);
    } catch {
      server.kill();
      end();
    }
  });
  const send = (message) => server.stdin.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\n");
  let last = 0;
  const ask = (method, params, signal) =>
    new Promise((resolve, reject) => {
      if (ended) throw new Error("the MCP server of FemtoClaw has ended");
      const id = ++last;
      waiting.set(id, { resolve, reject });
      signal?.addEventListener("abort", () => {
        send({ method: "notifications/cancelled", params: { requestId: id } });
        waiting.delete(id);
        reject(new Error("cancelled"));
      });
      send({ id, method, params });
    });
  pi.on("session_shutdown", () => void server.stdin.end());
  const clientInfo = { name: "pi", version: "1" };
  await ask("initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo });
  send({ method: "notifications/initialized" });
  let cursor;
  do {
    const page = await ask("tools/list", cursor === undefined ? {} : { cursor });
    for (const { name, description, inputSchema } of page.tools) {
      pi.registerTool({
        name,
        label: name,
        description,
        parameters: inputSchema,
        async execute(_id, params, signal) {
          const { content, structuredContent, isError } = await ask("tools/call", { name, arguments: params }, signal);
          if (isError) throw new Error(content.map(({ text }) => text).join("\n"));
          return { content, details: structuredContent ?? {} };
        },
      });
    }
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}
`;
