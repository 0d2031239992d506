/**
 * A measurement for people, run by hand: how long the calls of one session take alone and beside another
 * that sends nothing but refused calls as fast as it can, and what those leave in the journal.
 * `node packages/host/test/refusal-flood-rate.ts [seconds] [rounds] [reconnect]`
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { RuntimeStatus } from "@femtoclaw/runtime";
import { Playground, proposal, RawConnection, toolCall } from "./playground.ts";

const PIPELINE = 1_024;
/** Pause of the honest session between two calls: it thinks. */
const THINK_MS = 5;
const [seconds = "20", rounds = "3", reconnect = "", socket] = process.argv.slice(2);

/** In a process of its own: keeps the pipeline of a connection full, and connects anew when told to. */
async function flood(path: string): Promise<never> {
  for (;;) {
    const connection = await RawConnection.open(path);
    let sent = 0;
    let isHalted = false;
    while (!isHalted && !connection.socket.destroyed) {
      const lines: string[] = [];
      for (; sent < connection.lines.length + PIPELINE; sent += 1) {
        lines.push(JSON.stringify(proposal(sent, toolCall("nobody", { n: sent }))));
      }
      if (lines.length > 0) connection.write(`${lines.join("\n")}\n`);
      await sleep(1);
      isHalted = reconnect === "reconnect" && connection.lines.at(-1)?.includes("FEMTO_SESSION_HALTED") === true;
    }
    connection.socket.destroy();
  }
}

async function latencies(playground: Playground, lastMs: number): Promise<number[]> {
  await using client = await playground.agent();
  const message = Buffer.from(JSON.stringify(toolCall("fs_read", { path: "notes.txt" })));
  const times: number[] = [];
  for (const endMs = performance.now() + lastMs; performance.now() < endMs; ) {
    const beganMs = performance.now();
    const { status } = await client.propose(message);
    if (status !== "completed") throw new Error(`an honest call ended as ${status}`);
    times.push(performance.now() - beganMs);
    await sleep(THINK_MS);
  }
  return times.sort((left, right) => left - right);
}

async function storedRecords(playground: Playground): Promise<number> {
  return (await playground.json<RuntimeStatus>(["status"])).value.records;
}

async function measure(): Promise<void> {
  await using playground = new Playground();
  await playground.up();
  await latencies(playground, 2_000);
  for (let round = 0; round < Number(rounds); round += 1) {
    for (const beside of ["alone", "beside a flood of refused calls"]) {
      const before = await storedRecords(playground);
      const args = [import.meta.filename, seconds, rounds, reconnect || "stay", `${playground.runtime}/agent.sock`];
      const hostile = beside === "alone" ? null : spawn(process.execPath, args, { stdio: "inherit" });
      const times = await latencies(playground, Number(seconds) * 1_000);
      if (hostile !== null) {
        hostile.kill("SIGKILL");
        await once(hostile, "close");
      }
      const own = times.length * 2 + 2;
      const others = (await storedRecords(playground)) - before - own;
      const at = (share: number): string => (times[Math.floor(times.length * share)] ?? 0).toFixed(1);
      process.stdout.write(
        `${beside.padEnd(34)} ${String(times.length).padStart(6)} calls  p50 ${at(0.5)} ms  p99 ${at(0.99)} ms  other records ${others}\n`,
      );
    }
  }
}

if (socket === undefined) await measure();
else await flood(socket);
