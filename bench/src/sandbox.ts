/**
 * The cost of the way to an effect. Programs go through the whole pipeline, in this process and in a host of the
 * executable, compared with bubblewrap under the very same arguments, and with a bare process. Files are compared with
 * Node.js, without records and with two synced ones.
 */
import { type IOType, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { type FileHandle, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { createRuntime, resolveConfiguration, type Session } from "@femtoclaw/runtime";
import { findProgram } from "@femtoclaw/runtime/configuration";
import {
  bubblewrapArguments,
  COPIED_DESCRIPTOR,
  CopiedFiles,
  DEFAULT_CHILD_LIMITS,
  type SandboxView,
  viewOf,
} from "@femtoclaw/sandbox";
import type { Aim } from "./aim.ts";
import { type BenchContext, twoSyncPutsMs } from "./context.ts";
import { scaled } from "./effort.ts";
import { completed } from "./execution.ts";
import { aimsOfHost } from "./host-start.ts";
import { loadOf } from "./load.ts";
import { Measurement, type MeasureRow, type Subject } from "./measurement.ts";
import { quantile } from "./quantiles.ts";
import { programsOfHost } from "./sandbox-host.ts";

/** Concurrent callers, and how many runs of a program make a round. */
const LOADS = [
  { callers: 1, runs: 30 },
  { callers: 10, runs: 100 },
  { callers: 100, runs: 200 },
] as const;
const FILE_CALLS = 200;
const FILE_BYTES = 4_096;
const WARM_UP_RUNS = 5;
const RECORD = "r".repeat(512);

type Work = (n: number) => Promise<void>;

interface Measured {
  readonly name: string;
  readonly work: Work;
  readonly surface?: "executable";
  /** The name of what it is given as a multiple of. */
  readonly beside?: string;
}

interface Compared {
  readonly callers: number;
  readonly runs: number;
  readonly works: readonly Measured[];
}

export async function measureSandbox(context: BenchContext): Promise<MeasureRow[]> {
  const { directory, effort, executable, onProgress } = context;
  const workspace = join(directory, "workspace");
  mkdirSync(join(workspace, "out"), { recursive: true });
  const configuration = resolveConfiguration({
    configuration: {
      workspace: "workspace",
      capabilities: { process_exec: true, fs_read: true, fs_write: true },
      allow: { read: ["workspace"], write: ["workspace/out"], run: { true: ["*"] } },
      limits: { queue: 4_096 },
      memory: { path: "state" },
    },
    baseDirectory: directory,
    environment: process.env,
  });
  const view = viewOf(configuration.authority);
  await using runtime = await createRuntime({ configuration });
  await using session = runtime.openSession({ channel: "library", label: "bench" });
  await using log = await open(join(directory, "records"), "a");
  await using stack = new AsyncDisposableStack();
  const inHost = executable === null ? null : await programsOfHost(executable, join(directory, "executable"), stack);
  const { searchPath } = configuration.authority;
  const measured = [
    ...LOADS.map((load) => programs(load, { session, inHost, view, searchPath, cwd: workspace })),
    ...files(session, workspace, log),
  ].map((compared) => ({ compared, rows: compared.works.map((work) => quantilesOf(work, compared.callers)) }));
  for (const { compared } of measured) for (const { work } of compared.works) await loadOf(1, WARM_UP_RUNS, work);
  for (let round = 1; round <= effort.rounds; round += 1) {
    for (const { compared, rows } of measured) {
      onProgress(`round ${round} of ${effort.rounds}: ${compared.works[0]?.name}, ${compared.callers} at once`);
      for (const [index, { work }] of compared.works.entries()) {
        const { latencies } = await loadOf(compared.callers, scaled(compared.runs, effort), work);
        for (const { share, measurement } of rows[index] ?? []) {
          measurement.addValue(quantile(latencies, share));
        }
      }
    }
  }
  return measured.flatMap(({ compared, rows }) =>
    rows.flatMap((own, index) => {
      const besideAt = compared.works.findIndex(({ name }) => name === compared.works[index]?.beside);
      return own.map(({ measurement }, at) =>
        measurement.row({
          beside: rows[besideAt]?.[at]?.measurement,
          aims: aimsOf(measurement.subject, context),
        }),
      );
    }),
  );
}

function quantilesOf({ name, surface }: Measured, callers: number) {
  return (
    [
      ["p50", 0.5],
      ["p99", 0.99],
    ] as const
  ).map(([quantileName, share]) => ({
    share,
    measurement: new Measurement({
      preset: "sandbox",
      measure: `${name} ${quantileName}`,
      unit: "ms",
      callers,
      ...(surface === undefined ? {} : { surface }),
    }),
  }));
}

function aimsOf(subject: Subject, context: BenchContext): readonly Aim<"value" | "ratio">[] {
  const { measure } = subject;
  if (measure === "process_exec p50") return aimsOfHost(subject, [{ figure: "ratio", atMost: 1.15 }]);
  if (measure === "process_exec p99") return aimsOfHost(subject, [{ figure: "ratio", atMost: 1.3 }]);
  return measure === "fs_read p50" ? [{ figure: "value", atMost: twoSyncPutsMs(context) + 0.5 }] : [];
}

interface Programs {
  readonly session: Session;
  /** A call by way of a host of the executable; null if there is none. */
  readonly inHost: Work | null;
  readonly view: SandboxView;
  readonly searchPath: readonly string[];
  readonly cwd: string;
}

function programs(
  { callers, runs }: (typeof LOADS)[number],
  { session, inHost, view, searchPath, cwd }: Programs,
): Compared {
  const found = findProgram("true", searchPath);
  if ("problem" in found) throw new Error(found.problem);
  const command = { program: found.path, realPath: found.realPath, args: [], cwd: realpathSync(cwd), environment: {} };
  const args = bubblewrapArguments(view, command, DEFAULT_CHILD_LIMITS);
  const copied = new CopiedFiles(view.mounts);
  const { rung } = view;
  if (rung.name !== "bubblewrap") throw new Error("what is compared with is bubblewrap");
  const whole = { name: "process_exec", beside: "bubblewrap" };
  return {
    callers,
    runs,
    works: [
      ...(inHost === null ? [] : [{ ...whole, surface: "executable" as const, work: inHost }]),
      { ...whole, work: (n) => call(session, "process_exec", { bin: "true", argv: [`--run-${n}`] }) },
      {
        name: "bubblewrap",
        beside: "bare process",
        work: () => copied.whileOpen((files) => finished(rung.program, args, view.filter, files)),
      },
      { name: "bare process", work: () => finished(found.path, []) },
    ],
  };
}

function files(session: Session, workspace: string, log: FileHandle): Compared[] {
  const note = join(workspace, "note");
  writeFileSync(note, "n".repeat(FILE_BYTES));
  const content = "w".repeat(FILE_BYTES);
  const overwritten = { path: join(workspace, "out", "written"), mode: "overwrite" };
  const bare = join(workspace, "out", "bare");
  const recordedRead = "node readFile between two synced records";
  const recordedWrite = "node write between two synced records";
  const read = async () => void (await readFile(note));
  const write = () => replaced(bare, content);
  return [
    {
      callers: 1,
      runs: FILE_CALLS,
      works: [
        { name: "fs_read", beside: recordedRead, work: () => call(session, "fs_read", { path: note }) },
        { name: recordedRead, beside: "node readFile", work: () => recorded(log, read) },
        { name: "node readFile", work: read },
      ],
    },
    {
      callers: 1,
      runs: FILE_CALLS,
      works: [
        { name: "fs_write", beside: recordedWrite, work: () => call(session, "fs_write", { ...overwritten, content }) },
        { name: recordedWrite, beside: "node write, sync and rename", work: () => recorded(log, write) },
        { name: "node write, sync and rename", work: write },
      ],
    },
  ];
}

/** The least that a program does that writes down what it is about to do, and the result. */
async function recorded(log: FileHandle, work: () => Promise<void>): Promise<void> {
  await log.appendFile(RECORD);
  await log.datasync();
  await work();
  await log.appendFile(RECORD);
  await log.datasync();
}

async function call(session: Session, tool: string, args: Readonly<Record<string, unknown>>): Promise<void> {
  completed(await session.propose({ tool_call: { tool, args } }));
}

/**
 * A child that has to end well. If it takes a system call filter and files to copy, it gets them on the descriptors that
 * the sandbox would use.
 */
async function finished(
  program: string,
  args: readonly string[],
  filter?: Uint8Array,
  copied: readonly number[] = [],
): Promise<void> {
  const stdio: (IOType | number)[] = ["ignore", "pipe", "pipe", "pipe", "pipe"];
  while (stdio.length < COPIED_DESCRIPTOR) stdio.push("ignore");
  const child = spawn(program, args, { cwd: "/", env: {}, stdio: [...stdio, ...copied] });
  for (const stream of child.stdio) stream?.on("error", () => undefined);
  for (const stream of [child.stdout, child.stderr, child.stdio[4] as Readable | null]) stream?.resume();
  (child.stdio[3] as Writable).end(filter);
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${program} ended with exit code ${code}`);
}

/** What a careful program does to replace a file. */
async function replaced(path: string, content: string): Promise<void> {
  const file = await open(`${path}.new`, "w", 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}
