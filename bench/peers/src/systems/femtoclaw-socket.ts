/** FemtoClaw as a host in a process of its own, called over its socket. */
import { join } from "node:path";
import type { AgentClient } from "@femtoclaw/client";
import { completed } from "../../../src/execution.ts";
import { BenchHost } from "../../../src/host-start.ts";
import type { Place, System } from "../system.ts";
import { toldAs } from "../told-as.ts";

const LAUNCH = join(import.meta.dirname, "../../../../packages/host/src/launch.js");
/** One connection may have 1,024 pending requests; several are more like the load of a real host. */
const CONNECTIONS = 16;

export async function open({ directory }: Place): Promise<System> {
  const host = new BenchHost([process.execPath, LAUNCH], directory, {
    capabilities: ["fs_stat", "process_exec"],
    tables: ["[allow.run]", "sh = [{ any = true, unsafe = true }]"],
  });
  await host.start();
  const clients: AgentClient[] = [];
  for (let index = 0; index < CONNECTIONS; index += 1) clients.push(await host.connect());
  let calls = 0;
  return {
    execute: async (id, call) => {
      calls += 1;
      const client = clients[calls % CONNECTIONS];
      completed(await client?.propose(Buffer.from(JSON.stringify({ tool_call: call })), { label: id }));
    },
    told: async (id) => {
      await using operator = await host.operator();
      return toldAs(id, await operator.executions({ limit: 1_000 }));
    },
  };
}
