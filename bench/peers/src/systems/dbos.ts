/** DBOS: a workflow of one step in the process of its callers, its state in PostgreSQL with the durability that it comes with. */
import { DBOS } from "@dbos-inc/dbos-sdk";
import { perform } from "../perform.ts";
import { startPostgresql } from "../postgresql.ts";
import type { Place, System, ToolCall } from "../system.ts";
import { until } from "../until.ts";

/** LIMIT: time for a call that a crash cut off to be taken up and done. */
const SETTLED_MS = 60_000;

export async function open({ directory }: Place): Promise<System> {
  const systemDatabaseUrl = await startPostgresql(directory, "dbos");
  // Of one version before and after a crash: a workflow is taken up by the version that began it.
  DBOS.setConfig({ name: "bench", systemDatabaseUrl, logLevel: "error", applicationVersion: "bench" });
  const run = DBOS.registerWorkflow(
    async (call: ToolCall) => await DBOS.runStep(() => perform(call), { name: "effect" }),
    { name: "run" },
  );
  await DBOS.launch();
  return {
    execute: async (id, call) => {
      const workflow = await DBOS.startWorkflow(run, { workflowID: id })(call);
      await workflow.getResult();
    },
    told: async (id) =>
      await until("DBOS is done with the call", SETTLED_MS, async () => {
        const status = await DBOS.getWorkflowStatus(id);
        if (status === null) return "nothing";
        return status.status === "SUCCESS" ? "completed" : null;
      }),
  };
}
