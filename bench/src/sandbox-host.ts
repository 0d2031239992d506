/** A host that runs programs in the sandbox for callers on its socket. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { AgentClient } from "@femtoclaw/client";
import { completed } from "./execution.ts";
import { BenchHost, type HostCommand } from "./host-start.ts";

/** More callers than this share connections. */
const CONNECTIONS_MAX = 16;

/**
 * Starts the host, and has it ended with the stack. Returns the `n`th call of the program `true`. What programs see is the
 * same as in the runtime that it is measured beside, because each mount takes bubblewrap time.
 */
export async function programsOfHost(
  command: HostCommand,
  directory: string,
  stack: AsyncDisposableStack,
): Promise<(n: number) => Promise<void>> {
  mkdirSync(join(directory, "workspace", "out"), { recursive: true });
  const host = new BenchHost(command, directory, {
    capabilities: ["process_exec"],
    folders: { read: ["workspace"], write: ["workspace/out"] },
    tables: ["[allow.run]", 'true = ["*"]'],
  });
  const running = await host.start();
  stack.defer(async () => void (await running.end("SIGTERM")));
  const clients: AgentClient[] = [];
  for (let index = 0; index < CONNECTIONS_MAX; index += 1) clients.push(stack.use(await host.connect()));
  return async (n) => {
    const message = { tool_call: { tool: "process_exec", args: { bin: "true", argv: [`--run-${n}`] } } };
    completed(await clients[n % clients.length]?.propose(Buffer.from(JSON.stringify(message))));
  };
}
