/**
 * Executions through the whole pipeline: parse, validate, facts, Cedar, durable intent, a capability that does next to
 * nothing, durable outcome. In this process and over the socket of a real host, compared with the least that could be
 * done.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { AgentClient } from "@femtoclaw/client";
import { createRuntime } from "@femtoclaw/runtime";
import { type Aim, type JudgedAim, judged } from "./aim.ts";
import type { BenchContext } from "./context.ts";
import { scaled } from "./effort.ts";
import { BenchHost, type HostCommand, type RunningHost } from "./host-start.ts";
import { type Load, loadFor, p50, p99, perSecond } from "./load.ts";
import { MinimalLoop } from "./minimal-loop.ts";
import { noop, noopConfiguration } from "./noop.ts";
import { noopFiles } from "./noop-folders.ts";
import { median, rounded } from "./quantiles.ts";

export interface ExecutionRow {
  readonly preset: "execution";
  /** `socket` is a host from the sources, `executable` one from a built executable. */
  readonly surface: "in-process" | "socket" | "executable";
  /** What is executed; `minimal-loop` is the least that could be done in place of an execution. */
  readonly effect: "noop" | "fs_stat" | "minimal-loop";
  readonly callers: number;
  /** Whether each request differs from all recent ones, or all are the same. */
  readonly requests: "distinct" | "repeated";
  readonly executions_per_s: number;
  /** The lowest and the highest of the rounds. */
  readonly lowest: number;
  readonly highest: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  /** CPU time of all processes per execution, callers included. */
  readonly cpu_us: number;
  readonly rounds: number;
  /** executions_per_s as a fraction of the minimal loop's with as many callers. */
  readonly ratio?: number;
  readonly aims?: readonly JudgedAim[];
}

const CALLERS = [1, 10, 100, 1_000];
const ROUND_MS = 800;
const WARM_UP_MS = 600;
/** One connection may have 1,024 pending requests; several are more like the load of a real host. */
const CONNECTIONS_MAX = 16;

interface Round {
  readonly load: Load;
  readonly cpuUs: number;
}

/** Something that is put under load. */
interface Subject extends Pick<ExecutionRow, "surface" | "effect" | "requests"> {
  readonly call: (n: number) => Promise<void>;
  /** CPU time so far of processes other than this one. */
  readonly otherCpuUs: () => number;
}

export async function measureExecutions(context: BenchContext): Promise<ExecutionRow[]> {
  const { directory, effort, host, executable, onProgress } = context;
  await using stack = new AsyncDisposableStack();
  const subjects = [
    await minimalLoop(directory, stack),
    ...(await inProcess(join(directory, "in-process"), stack)),
    ...(await overSocket("socket", host, join(directory, "socket"), stack)),
    ...(executable === null ? [] : await overSocket("executable", executable, join(directory, "executable"), stack)),
  ].map((subject) => ({ subject, rounds: new Map<number, Round[]>(CALLERS.map((callers) => [callers, []])) }));
  let n = 0;
  const next = (): number => {
    n += 1;
    return n;
  };
  for (const { subject } of subjects) await loadFor(100, scaled(WARM_UP_MS, effort), next, subject.call);
  // Interleaved, so that a disturbance of the machine hits every row instead of one.
  for (let round = 1; round <= effort.rounds; round += 1) {
    for (const callers of CALLERS) {
      onProgress(`round ${round} of ${effort.rounds}: ${callers} callers`);
      for (const { subject, rounds } of subjects) {
        rounds.get(callers)?.push(await measured(subject, callers, scaled(ROUND_MS, effort), next));
      }
    }
  }
  const minimal = subjects[0]?.rounds ?? new Map<number, Round[]>();
  return subjects.flatMap(({ subject, rounds }) =>
    [...rounds].map(([callers, own]) => row(subject, callers, own, minimal.get(callers) ?? [])),
  );
}

async function measured(subject: Subject, callers: number, durationMs: number, next: () => number): Promise<Round> {
  const [cpu, other] = [process.cpuUsage(), subject.otherCpuUs()];
  const load = await loadFor(callers, durationMs, next, subject.call);
  const { user, system } = process.cpuUsage(cpu);
  return { load, cpuUs: user + system + subject.otherCpuUs() - other };
}

const nobodyElse = (): number => 0;

async function minimalLoop(directory: string, stack: AsyncDisposableStack): Promise<Subject> {
  const loop = stack.use(await MinimalLoop.open(directory));
  return {
    surface: "in-process",
    effect: "minimal-loop",
    requests: "distinct",
    otherCpuUs: nobodyElse,
    call: (n) => loop.execute(Buffer.from(JSON.stringify(noopMessage(n)))),
  };
}

async function inProcess(directory: string, stack: AsyncDisposableStack): Promise<Subject[]> {
  mkdirSync(directory);
  const configuration = noopConfiguration(directory, ["fs_stat"]);
  const files = noopFiles(directory);
  const runtime = stack.use(await createRuntime({ configuration, capabilities: [noop], permit: ["noop"] }));
  const session = stack.use(runtime.openSession({ channel: "library", label: "bench" }));
  const propose = async (message: Parameters<typeof session.propose>[0]): Promise<void> => {
    completed(await session.propose(message));
  };
  const own = { surface: "in-process", otherCpuUs: nobodyElse } as const;
  return [
    { ...own, effect: "noop", requests: "distinct", call: (n) => propose(noopMessage(n)) },
    { ...own, effect: "noop", requests: "repeated", call: () => propose(noopMessage(0)) },
    { ...own, effect: "fs_stat", requests: "distinct", call: (n) => propose(statMessage(files, n)) },
    { ...own, effect: "fs_stat", requests: "repeated", call: () => propose(statMessage(files, 0)) },
  ];
}

async function overSocket(
  surface: "socket" | "executable",
  command: HostCommand,
  directory: string,
  stack: AsyncDisposableStack,
): Promise<Subject[]> {
  mkdirSync(directory);
  const host = new BenchHost(command, directory, { capabilities: ["fs_stat"] });
  const files = noopFiles(directory);
  const running: RunningHost = await host.start();
  stack.defer(async () => void (await running.end("SIGTERM")));
  const clients: AgentClient[] = [];
  for (let index = 0; index < CONNECTIONS_MAX; index += 1) clients.push(stack.use(await host.connect()));
  const propose = async (n: number, message: object): Promise<void> => {
    const client = clients[n % clients.length];
    completed(await client?.propose(Buffer.from(JSON.stringify(message))));
  };
  const own = { surface, effect: "fs_stat", otherCpuUs: () => running.cpuUs ?? Number.NaN } as const;
  return [
    { ...own, requests: "distinct", call: (n) => propose(n, statMessage(files, n)) },
    { ...own, requests: "repeated", call: (n) => propose(n, statMessage(files, 0)) },
  ];
}

function noopMessage(n: number) {
  return { tool_call: { tool: "noop", args: { n, text: `request number ${n} of this run` } } };
}

function statMessage(files: readonly string[], n: number) {
  return { tool_call: { tool: "fs_stat", args: { path: files[n % files.length] } } };
}

interface Ended {
  readonly status: string;
  readonly error?: { readonly reason: string };
}

/** Throws if a call ended otherwise: refusals are fast, and no figure of executions. */
export function completed(reply: Ended | undefined): void {
  if (reply?.status !== "completed") {
    throw new Error(`an execution of the bench ended as ${reply?.status}: ${reply?.error?.reason}`);
  }
}

function row(subject: Subject, callers: number, rounds: readonly Round[], minimal: readonly Round[]): ExecutionRow {
  const over = (all: readonly Round[], value: (round: Round) => number): number => rounded(median(all.map(value)));
  const rates = rounds.map(({ load }) => perSecond(load));
  const figures = {
    executions_per_s: Math.round(median(rates)),
    p50_ms: over(rounds, ({ load }) => p50(load)),
    p99_ms: over(rounds, ({ load }) => p99(load)),
    cpu_us: over(rounds, ({ load, cpuUs }) => cpuUs / load.latencies.length),
  };
  const { surface, effect, requests } = subject;
  const told = {
    preset: "execution" as const,
    surface,
    effect,
    callers,
    requests,
    ...figures,
    lowest: Math.round(Math.min(...rates)),
    highest: Math.round(Math.max(...rates)),
    rounds: rounds.length,
  };
  if (effect === "minimal-loop") return told;
  const ratio = rounded(figures.executions_per_s / over(minimal, ({ load }) => perSecond(load)));
  const twoPutsMs = over(minimal, ({ load }) => p50(load));
  const aims = judged(aimsOf(told, twoPutsMs), { ...figures, ratio });
  return { ...told, ratio, ...(aims.length === 0 ? {} : { aims }) };
}

/** With one caller, a minimal execution takes two synced puts. */
function aimsOf(
  { surface, effect, callers }: Pick<ExecutionRow, "surface" | "effect" | "callers">,
  twoPutsMs: number,
): Aim<"executions_per_s" | "p50_ms" | "cpu_us" | "ratio">[] {
  const isInProcess = surface === "in-process";
  if (callers === 1) return [{ figure: "p50_ms", atMost: twoPutsMs + (isInProcess ? 0.15 : 0.45) }];
  if (callers !== 1_000) return [];
  if (!isInProcess) return [{ figure: "executions_per_s", atLeast: 20_000 }];
  if (effect !== "noop") return [];
  return [
    { figure: "executions_per_s", atLeast: 25_000 },
    { figure: "cpu_us", atMost: 40 },
    { figure: "ratio", atLeast: 0.5 },
  ];
}
