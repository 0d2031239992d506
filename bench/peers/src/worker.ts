/**
 * The process in which one system runs with its callers: `worker.ts NAME DIRECTORY PURPOSE`. It obeys the orders sent
 * to it.
 */
import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { loadFor, p50, p99, perSecond } from "../../src/load.ts";
import { noopFiles } from "../../src/noop-folders.ts";
import type { Step } from "./figures.ts";
import { killAll, signal, treeOf } from "./process-tree.ts";
import { LAST_WORDS, type Place, type Told, type ToolCall } from "./system.ts";
import { SYSTEMS, type SystemName } from "./systems.ts";

export type Order =
  | { readonly do: "load"; readonly callers: number; readonly durationMs: number }
  /** Has no answer: the whole system is killed, by this process, or from outside while the effect waits. */
  | { readonly do: "die"; readonly step: Step; readonly id: string; readonly call: ToolCall }
  | { readonly do: "tell"; readonly id: string };

export interface LoadFigures {
  readonly executions: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** What is sent back: that the system accepts calls, or the answer to an order. */
export type Answer = "ready" | LoadFigures | Told;

/** Milliseconds for a call to arrive at a stopped server. */
const ARRIVAL_MS = 200;

// INVARIANT: nothing of a system outlives the command, however that ends: all of it is in the group led by this
// process.
process.once("disconnect", endAll).on("exit", endAll);
if (!process.connected) endAll();
// A package might otherwise go on after an error that nobody caught.
process.on("uncaughtException", (error) => {
  try {
    // Reported instead of figures; there may be nobody left to read it.
    writeSync(process.stderr.fd, `\n${LAST_WORDS}${error.message.replaceAll("\n", " ")}\n`);
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

/** An effect that waits is killed from outside, at the step where it stopped. */
async function die({ step, id, call }: Extract<Order, { readonly do: "die" }>): Promise<null> {
  const all = treeOf(process.pid);
  const servers = all.filter((pid) => pid !== process.pid);
  if (step === "before-intent") {
    for (const pid of servers) signal(pid, "SIGSTOP");
    system.execute(id, call).catch(() => undefined);
    // A system without a server makes nothing durable within this turn, and a stopped server makes nothing durable at
    // all.
    if (servers.length > 0) await sleep(ARRIVAL_MS);
  } else {
    await system.execute(id, call);
    if (step !== "after-outcome") throw new Error(`the call ended without waiting at the step ${step}`);
  }
  killAll(all);
  return null;
}

process.on("message", (order: Order) => {
  obey(order).then(
    (answer) => {
      if (answer !== null) process.send?.(answer);
    },
    (error: unknown) => {
      // Ends this process, which reports the error as its last words.
      throw error;
    },
  );
});
process.send?.("ready" satisfies Answer);
