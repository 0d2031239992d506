/** DBOS: a workflow of one step in the callers' process; state in PostgreSQL with its default durability. */
import { DBOS } from "@dbos-inc/dbos-sdk";
import { perform } from "../perform.ts";
import { startPostgresql } from "../postgresql.ts";
import type { Place, System, ToolCall } from "../system.ts";
import { until } from "../until.ts";

/** LIMIT: milliseconds for an interrupted call to be resumed and completed after a crash. */
const SETTLED_MS = 60_000;

export async function open({ directory }: Place): Promise<System> {
  const systemDatabaseUrl = await startPostgresql(directory, "dbos");
  // The version is fixed, because a workflow is resumed only by the version that began it.
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
