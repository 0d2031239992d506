/** FemtoClaw embedded: the runtime in the callers' process, with the whole pipeline of a call. */
import { createRuntime, listExecutions, resolveConfiguration } from "@femtoclaw/runtime";
import { completed } from "../../../src/execution.ts";
import { noopFolders } from "../../../src/noop-folders.ts";
import type { Place, System } from "../system.ts";
import { toldAs } from "../told-as.ts";

export async function open({ directory }: Place): Promise<System> {
  const configuration = resolveConfiguration({
    configuration: {
      workspace: "workspace",
      capabilities: { fs_stat: true, process_exec: true },
      allow: { ...noopFolders(directory), run: { sh: [{ any: true, unsafe: true }] } },
      limits: { queue: 4_096 },
      memory: { path: "state" },
    },
    baseDirectory: directory,
    environment: process.env,
  });
  const runtime = await createRuntime({ configuration });
  const session = runtime.openSession({ channel: "library", label: "bench" });
  return {
    execute: async (id, call) => completed(await session.propose({ tool_call: call }, { label: id })),
    told: async (id) => toldAs(id, await listExecutions(runtime.reader, { limit: 1_000 })),
  };
}
