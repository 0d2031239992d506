/** The process in which one system runs, with its callers: `worker.ts NAME DIRECTORY PURPOSE`. It does what it is sent. */
import { writeSync } from "node:fs";
import { loadFor, p50, p99, perSecond } from "../../src/load.ts";
import { noopFiles } from "../../src/noop-folders.ts";
import type { Step } from "./figures.ts";
import { killAll, signal, treeOf } from "./process-tree.ts";
import type { Place, Told, ToolCall } from "./system.ts";
import { SYSTEMS, type SystemName } from "./systems.ts";

export type Order =
  | { readonly do: "load"; readonly callers: number; readonly durationMs: number }
  /** Answered by nothing: the whole system is killed, by this process or from outside while the effect waits. */
  | { readonly do: "die"; readonly step: Step; readonly id: string; readonly call: ToolCall }
  | { readonly do: "tell"; readonly id: string };

export interface LoadFigures {
  readonly executions: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** What is sent back: that it takes calls, or what was asked. */
export type Answer = "ready" | LoadFigures | Told;

/** Long enough for a call to arrive at a server that does not move. */
const ARRIVAL_MS = 200;

// INVARIANT: nothing of a system outlives the command, however that ends: all of it is in the group that this process leads.
process.once("disconnect", endAll).on("exit", endAll);
if (!process.connected) endAll();
// A package may go on for ever on an error that nobody took.
process.on("uncaughtException", (error) => {
  try {
    // Its last words, which are told instead of figures; nobody may hear them any more.
    writeSync(process.stderr.fd, `\n${error.message}\n`);
  } finally {
    endAll();
  }
});

const [name, directory = "", purpose] = process.argv.slice(2);
const system = await SYSTEMS[name as SystemName].open({ directory, purpose: purpose as Place["purpose"] });
const files = noopFiles(directory);
let calls = 0;

function endAll(): void {
  signal(-process.pid, "SIGKILL");
}

function next(): number {
  calls += 1;
  return calls;
}

async function obey(order: Order): Promise<Answer | null> {
  if (order.do === "tell") return await system.told(order.id);
  if (order.do === "die") return await die(order);
  const load = await loadFor(order.callers, order.durationMs, next, async (n) => {
    await system.execute(`call-${n}`, { tool: "fs_stat", args: { path: files[n % files.length] ?? "" } });
  });
  return { executions: load.latencies.length, perSecond: perSecond(load), p50Ms: p50(load), p99Ms: p99(load) };
}

async function die({ step, id, call }: Extract<Order, { readonly do: "die" }>): Promise<null> {
  const all = treeOf(process.pid);
  const servers = all.filter((pid) => pid !== process.pid);
  if (step === "before-intent") for (const pid of servers) signal(pid, "SIGSTOP");
  const asked = system.execute(id, call);
  if (step === "after-outcome") await asked;
  else asked.catch(() => undefined);
  // What has no server has made nothing durable in the turn in which it was asked; a server that does not move cannot.
  if (step === "before-intent" && servers.length > 0) await new Promise((resolve) => setTimeout(resolve, ARRIVAL_MS));
  if (step === "before-intent" || step === "after-outcome") killAll(all);
  return null;
}

process.on("message", (order: Order) => {
  obey(order).then(
    (answer) => {
      if (answer !== null) process.send?.(answer);
    },
    (error: unknown) => {
      // Ends this process, and its last words say why.
      throw error;
    },
  );
});
process.send?.("ready" satisfies Answer);
