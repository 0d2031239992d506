/**
 * The cost of the way to an effect. Programs go through the whole pipeline, compared with bubblewrap under the very
 * same arguments, and with a bare process. Files are compared with Node.js, without records and with two synced ones.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { type FileHandle, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { createRuntime, findProgram, resolveConfiguration, type Session } from "@femtoclaw/runtime";
import { bubblewrapArguments, DEFAULT_CHILD_LIMITS, type SandboxView, viewOf } from "@femtoclaw/sandbox";
import type { Aim } from "./aim.ts";
import { type BenchContext, twoSyncPutsMs } from "./context.ts";
import { scaled } from "./effort.ts";
import { completed } from "./execution.ts";
import { loadOf } from "./load.ts";
import { Measurement, type MeasureRow } from "./measurement.ts";
import { quantile } from "./quantiles.ts";

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

interface Compared {
  readonly callers: number;
  readonly runs: number;
  /** What is measured; each is given as a multiple of the next one. */
  readonly works: readonly (readonly [name: string, work: Work])[];
}

export async function measureSandbox(context: BenchContext): Promise<MeasureRow[]> {
  const { directory, effort, onProgress } = context;
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
  const measured = [
    ...LOADS.map((load) => programs(load, session, view, configuration.authority.searchPath, workspace)),
    ...files(session, workspace, log),
  ].map((compared) => ({ compared, rows: compared.works.map(([name]) => quantilesOf(name, compared.callers)) }));
  for (const { compared } of measured) for (const [, work] of compared.works) await loadOf(1, WARM_UP_RUNS, work);
  for (let round = 1; round <= effort.rounds; round += 1) {
    for (const { compared, rows } of measured) {
      onProgress(`round ${round} of ${effort.rounds}: ${compared.works[0]?.[0]}, ${compared.callers} at once`);
      for (const [index, [, work]] of compared.works.entries()) {
        const { latencies } = await loadOf(compared.callers, scaled(compared.runs, effort), work);
        for (const { share, measurement } of rows[index] ?? []) {
          measurement.addValue(quantile(latencies, share));
        }
      }
    }
  }
  return measured.flatMap(({ rows }) =>
    rows.flatMap((own, index) =>
      own.map(({ measurement }, at) => {
        const aims = aimsOf(measurement.subject.measure, context);
        return measurement.row({ beside: rows[index + 1]?.[at]?.measurement, aims });
      }),
    ),
  );
}

function quantilesOf(name: string, callers: number) {
  return (
    [
      ["p50", 0.5],
      ["p99", 0.99],
    ] as const
  ).map(([quantileName, share]) => ({
    share,
    measurement: new Measurement({ preset: "sandbox", measure: `${name} ${quantileName}`, unit: "ms", callers }),
  }));
}

function aimsOf(measure: string, context: BenchContext): Aim<"value" | "ratio">[] {
  if (measure === "process_exec p50") return [{ figure: "ratio", atMost: 1.15 }];
  if (measure === "process_exec p99") return [{ figure: "ratio", atMost: 1.3 }];
  return measure === "fs_read p50" ? [{ figure: "value", atMost: twoSyncPutsMs(context) + 0.5 }] : [];
}

function programs(
  { callers, runs }: (typeof LOADS)[number],
  session: Session,
  view: SandboxView,
  searchPath: readonly string[],
  cwd: string,
): Compared {
  const found = findProgram("true", searchPath);
  if ("problem" in found) throw new Error(found.problem);
  const command = { program: found.path, realPath: found.realPath, args: [], cwd: realpathSync(cwd), environment: {} };
  const args = bubblewrapArguments(view, command, DEFAULT_CHILD_LIMITS);
  const { rung } = view;
  if (rung.name !== "bubblewrap") throw new Error("what is compared with is bubblewrap");
  return {
    callers,
    runs,
    works: [
      ["process_exec", (n) => call(session, "process_exec", { bin: "true", argv: [`--run-${n}`] })],
      ["bubblewrap", () => finished(rung.program, args, view.filter)],
      ["bare process", () => finished(found.path, [])],
    ],
  };
}

function files(session: Session, workspace: string, log: FileHandle): Compared[] {
  const note = join(workspace, "note");
  writeFileSync(note, "n".repeat(FILE_BYTES));
  const content = "w".repeat(FILE_BYTES);
  const [written, bare] = [join(workspace, "out", "written"), join(workspace, "out", "bare")];
  const read = async () => void (await readFile(note));
  const write = () => replaced(bare, content);
  return [
    {
      callers: 1,
      runs: FILE_CALLS,
      works: [
        ["fs_read", () => call(session, "fs_read", { path: note })],
        ["node readFile between two synced records", () => recorded(log, read)],
        ["node readFile", read],
      ],
    },
    {
      callers: 1,
      runs: FILE_CALLS,
      works: [
        ["fs_write", () => call(session, "fs_write", { path: written, content, mode: "overwrite" })],
        ["node write between two synced records", () => recorded(log, write)],
        ["node write, sync and rename", write],
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

/** A child that has to end well; if it takes a system call filter, it gets that on its fourth descriptor. */
async function finished(program: string, args: readonly string[], filter?: Uint8Array): Promise<void> {
  const child = spawn(program, args, { cwd: "/", env: {}, stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"] });
  for (const stream of child.stdio) stream?.on("error", () => undefined);
  for (const stream of [child.stdout, child.stderr, child.stdio[4] as Readable]) stream?.resume();
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
