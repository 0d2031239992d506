/**
 * A real host under a mix of calls, for as many as one likes: files, programs, programs whose time is over, calls that are
 * cancelled, readers of output that leave, clients that come and go. Whether anything of it stays is looked at where
 * nothing is under way.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { AgentClient } from "@femtoclaw/client";
import type { Reply } from "@femtoclaw/protocol";
import { CONFIGURATION, type Host, Playground, toolCall } from "../playground.ts";

/** How long it goes on: so many calls, or so much time. */
export type Duration = { readonly executions: number } | { readonly minutes: number };

export interface EnduranceOptions {
  readonly duration: Duration;
  onMark(mark: Mark): void;
}

/** What a host holds while nothing is asked of it. */
export interface Mark {
  readonly at: string;
  readonly executions: number;
  /** Of the reads of a file since the mark before, from call to answer. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly rssMb: number;
  /** After the garbage was collected. */
  readonly heapMb: number;
  readonly descriptors: number;
  /** Of the event loop: sockets, pipes, processes, timers. */
  readonly handles: number;
  readonly children: number;
  readonly zombies: number;
}

const CALLERS = 8;
/** Calls of one connection before it is closed for another. */
const CALLS_PER_CLIENT = 50;
/** What comes before the first mark, as a share: what is compiled and grown once is there then. */
const WARM_SHARE = 0.05;
/** Handles and descriptors that come and go by themselves, such as a timer or a file of the database. */
const SLACK = 16;
/** What grows by less than this from the half to the end is taken for flat. */
const FLAT = 1.2;

const PROBE = join(import.meta.dirname, "handles-probe.ts");

/** Throws an AssertionError where something stays. */
export async function endurance({ duration, onMark }: EnduranceOptions): Promise<readonly Mark[]> {
  await using place = new Playground(CONFIGURATION);
  const told = join(place.root, "probe.json");
  place.environment["NODE_OPTIONS"] = `--expose-gc --import=${PROBE}`;
  place.environment["ENDURANCE_PROBE"] = told;
  const host = await place.up();
  delete place.environment["NODE_OPTIONS"];
  const load = new Load(place);
  const marks: Mark[] = [];
  const mark = async (at: string): Promise<void> => {
    const found = await look(place, host, told, { at, executions: load.done, ...load.latencies() });
    marks.push(found);
    onMark(found);
  };
  for (const [index, at] of ["start", "1/4", "1/2", "3/4", "end"].entries()) {
    await load.run(portion(duration, index === 0 ? WARM_SHARE : (1 - WARM_SHARE) / 4));
    await mark(at);
  }
  await place.down();
  judge(marks, load);
  return marks;
}

/** Whether a part of it is over, asked before each call. */
function portion(duration: Duration, share: number): () => boolean {
  if ("executions" in duration) {
    let left = Math.round(duration.executions * share);
    return () => left-- > 0;
  }
  const end = performance.now() + duration.minutes * 60_000 * share;
  return () => performance.now() < end;
}

function judge(marks: readonly Mark[], load: Load): void {
  const [start, , half, , end] = marks;
  assert(start !== undefined && half !== undefined && end !== undefined);
  for (const kind of ["descriptors", "handles"] as const) {
    assert(end[kind] <= start[kind] + SLACK, `${kind} grew from ${start[kind]} to ${end[kind]}`);
  }
  for (const { at, zombies, children } of marks) {
    assert.deepEqual({ zombies, children }, { zombies: 0, children: 0 }, `processes stay at ${at}`);
  }
  assert(end.heapMb <= half.heapMb * FLAT, `the heap grew from ${half.heapMb} to ${end.heapMb} MB`);
  assert(end.rssMb <= half.rssMb * FLAT, `memory grew from ${half.rssMb} to ${end.rssMb} MB`);
  assert.deepEqual(load.unexpected, [], "every call ends as it has to");
}

async function look(
  place: Playground,
  { pid }: Host,
  told: string,
  what: Pick<Mark, "at" | "executions" | "p50Ms" | "p99Ms">,
): Promise<Mark> {
  await using operator = await place.operator();
  // What was killed has its time to end.
  for (;;) {
    const { running, terminals } = (await operator.status()) as { running: number; terminals: number };
    if (running === 0 && (terminals ?? 0) === 0 && childrenOf(pid).length === 0) break;
    await sleep(100);
  }
  await sleep(3_000);
  rmSync(told, { force: true });
  process.kill(pid, "SIGUSR2");
  while (!existsSync(told) || readFileSync(told).length === 0) await sleep(20);
  const { counts, heapUsed } = JSON.parse(readFileSync(told, "utf8")) as {
    counts: Record<string, number>;
    heapUsed: number;
  };
  const children = childrenOf(pid);
  return {
    ...what,
    rssMb: Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024),
    heapMb: Math.round(heapUsed / 1_048_576),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    handles: Object.values(counts).reduce((sum, count) => sum + count, 0),
    children: children.length,
    zombies: children.filter(isZombie).length,
  };
}

function childrenOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
}

function isZombie(pid: string): boolean {
  return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
}

type Kind = "file" | "write" | "denied" | "program" | "watched" | "overdue" | "cancelled";

/** Of a hundred calls: most about files, every eighth a program, and each way in which one can end badly. */
function kindOf(n: number): Kind {
  if (n % 100 === 37) return "overdue";
  if (n % 100 === 73) return "cancelled";
  if (n % 50 === 11) return "watched";
  if (n % 8 === 3) return "program";
  return n % 10 === 5 ? "denied" : n % 5 === 2 ? "write" : "file";
}

class Load {
  readonly #place: Playground;
  done = 0;
  readonly unexpected: string[] = [];
  #readsMs: number[] = [];

  constructor(place: Playground) {
    this.#place = place;
  }

  /** Calls as long as it goes on. */
  async run(goesOn: () => boolean): Promise<void> {
    await Promise.all(Array.from({ length: CALLERS }, (_, caller) => this.#caller(caller, goesOn)));
  }

  /** Of the reads since somebody asked last. */
  latencies(): Pick<Mark, "p50Ms" | "p99Ms"> {
    const sorted = this.#readsMs.sort((one, other) => one - other);
    this.#readsMs = [];
    const at = (share: number): number => Math.round((sorted[Math.floor(sorted.length * share)] ?? 0) * 10) / 10;
    return { p50Ms: at(0.5), p99Ms: at(0.99) };
  }

  async #caller(caller: number, goesOn: () => boolean): Promise<void> {
    for (let isOver = !goesOn(); !isOver; ) {
      await using client = await this.#place.agent();
      for (let count = 0; count < CALLS_PER_CLIENT && !isOver; count += 1) {
        this.done += 1;
        await this.#call(client, caller, this.done - 1);
        isOver = !goesOn();
      }
    }
  }

  async #call(client: AgentClient, caller: number, n: number): Promise<void> {
    const kind = kindOf(n);
    const began = performance.now();
    const { status, error } = await this.#reply(client, kind, caller);
    if (kind === "file") this.#readsMs.push(performance.now() - began);
    const [wanted, ...codes] = EXPECTED[kind];
    const isExpected = status === wanted && (error === undefined ? codes.length === 0 : codes.includes(error.code));
    if (!isExpected) this.unexpected.push(`${kind}: ${status} ${error?.reason ?? ""}`);
  }

  #reply(client: AgentClient, kind: Kind, caller: number): Promise<Reply> {
    const propose = (tool: string, args: Record<string, unknown>, options = {}): Promise<Reply> =>
      client.propose(Buffer.from(JSON.stringify(toolCall(tool, args))), options);
    switch (kind) {
      case "file":
        return propose("fs_read", { path: "notes.txt" });
      case "write":
        return propose("fs_write", { path: `out/${caller}`, content: "once more\n", mode: "overwrite" });
      case "denied":
        return propose("fs_read", { path: "secrets/token.txt" });
      case "program":
        return propose("process_exec", { bin: "echo", argv: [String(caller)] });
      case "watched":
        return this.#watched(propose);
      case "overdue":
        return propose("process_exec", { bin: "sleep", argv: ["60"], timeout_ms: 50 });
      case "cancelled":
        return propose("process_exec", { bin: "sleep", argv: ["60"] }, { signal: AbortSignal.timeout(200) });
    }
  }

  /** A program whose output its client hears, and for which somebody waits who then leaves without a word. */
  async #watched(propose: (tool: string, args: Record<string, unknown>, options: object) => Promise<Reply>) {
    const socket = connect(join(this.#place.runtime, "operator.sock"));
    await once(socket, "connect");
    const reply = await propose("process_exec", { bin: "cat", argv: ["notes.txt"] }, { onOutput: () => undefined });
    const ask = { id: 1, verb: "executions.watch", execution: reply.execution_id, from: 0, wait_ms: 10_000 };
    socket.write(`${JSON.stringify(ask)}\n`);
    socket.destroy();
    return reply;
  }
}

const EXPECTED: Readonly<Record<Kind, readonly [status: Reply["status"], ...codes: string[]]>> = {
  file: ["completed"],
  write: ["completed"],
  denied: ["denied", "FEMTO_POLICY_FORBIDDEN"],
  program: ["completed"],
  watched: ["completed"],
  overdue: ["error", "FEMTO_CAPABILITY_TIMED_OUT"],
  // On a busy machine some do not get as far as their effect.
  cancelled: ["error", "FEMTO_CAPABILITY_CANCELLED", "FEMTO_EXECUTION_HALTED"],
};
