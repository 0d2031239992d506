/** LangGraph: a graph of one node in the callers' process; checkpoints in SQLite with a sync for each commit. */
import { join } from "node:path";
import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { SqliteSaver } from "@langchain/langgraph-checkpoint-sqlite";
import { perform } from "../perform.ts";
import type { Place, System, ToolCall } from "../system.ts";

export async function open({ directory }: Place): Promise<System> {
  const checkpointer = SqliteSaver.fromConnString(join(directory, "checkpoints.db"));
  checkpointer.setup();
  // The default is NORMAL, which does not sync commits of a write-ahead log.
  checkpointer.db.pragma("synchronous=FULL");
  const graph = new StateGraph(Annotation.Root({ call: Annotation<ToolCall>(), result: Annotation<object>() }))
    .addNode("effect", async ({ call }) => ({ result: await perform(call) }))
    .addEdge(START, "effect")
    .addEdge("effect", END)
    .compile({ checkpointer });
  const thread = (id: string) => ({ configurable: { thread_id: id } });
  return {
    execute: async (id, call) => {
      await graph.invoke({ call }, { ...thread(id), durability: "sync" });
    },
    told: async (id) => {
      const { values, next } = await graph.getState(thread(id));
      if (values.result !== undefined) return "completed";
      if (next.length === 0) return "nothing";
      // A thread is not resumed by itself: its application invokes it again without an input.
      await graph.invoke(null, { ...thread(id), durability: "sync" });
      return "completed";
    },
  };
}
