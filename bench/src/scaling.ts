/**
 * Whether an execution costs the same after a thousand records of history as after a million, and under a few rules as
 * under hundreds.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRuntime, type ResolvedConfiguration, resolveConfiguration, type Session } from "@femtoclaw/runtime";
import { heldBytes } from "./collect-garbage.ts";
import type { BenchContext } from "./context.ts";
import { scaled } from "./effort.ts";
import { completed } from "./execution.ts";
import { writeHistory } from "./history.ts";
import { loadOf, p50 } from "./load.ts";
import { Measurement, type MeasureRow, type Subject } from "./measurement.ts";
import { noop, noopConfiguration, proposeNoop } from "./noop.ts";
import { timed } from "./timed.ts";

const FIRST_RECORDS = 1_000;
const RULES = [1, 10, 100, 500];
const FILES = 1_024;
/** A budget that is never used up. Its count is part of every question, so that no decision is like an earlier one. */
const CALLS = 1_000_000_000;
const EXECUTIONS = 4_000;
const EXECUTIONS_ALONE = 200;
/** A cost at most a quarter above that of the smallest size counts as flat; that much is noise. */
const FLAT = 1.25;

type Execute = (session: Session, n: number) => Promise<void>;

interface Size {
  readonly configuration: ResolvedConfiguration;
  readonly execute: Execute;
  readonly cost: Measurement;
  readonly alone: Measurement;
  readonly start: Measurement;
  readonly held: Measurement;
}

export async function measureScaling(context: BenchContext): Promise<MeasureRow[]> {
  const { effort, onProgress } = context;
  const histories = await historySizes(context);
  const tables = RULES.map((rules) => ruleSize(join(context.directory, `rules-${rules}`), rules));
  for (let round = 1; round <= effort.rounds; round += 1) {
    for (const size of [...histories, ...tables]) {
      const { records, rules } = size.cost.subject;
      onProgress(
        `round ${round} of ${effort.rounds}: ${records ?? rules} ${records === undefined ? "rules" : "records"}`,
      );
      await measure(size, context);
    }
  }
  return [...histories, ...tables].flatMap(({ cost, alone, start, held }, index, all) => {
    const first = all[index < histories.length ? 0 : histories.length];
    const flat = [{ figure: "ratio", atMost: FLAT }] as const;
    return [
      cost.row({ beside: first?.cost, aims: flat }),
      alone.row({ beside: first?.alone, aims: flat }),
      ...(index < histories.length ? [start.row({ beside: first?.start }), held.row({ beside: first?.held })] : []),
    ];
  });
}

async function historySizes({ directory, records, onProgress }: BenchContext): Promise<Size[]> {
  const sizes: Size[] = [];
  for (let size = FIRST_RECORDS; size <= records; size *= 10) {
    const own = join(directory, `history-${size}`);
    mkdirSync(own);
    onProgress(`writing a history of ${size} records`);
    await writeHistory(own, size);
    sizes.push(sized({ records: size }, noopConfiguration(own), proposeNoop));
  }
  return sizes;
}

/**
 * Each decision is made anew, under few rules as under many. Half of the rules permit; the others deny what nobody asks
 * for.
 */
function ruleSize(directory: string, rules: number): Size {
  const folders = Array.from({ length: rules }, (_, index) => join(directory, "workspace", `folder-${index}`));
  for (const folder of folders) mkdirSync(folder, { recursive: true });
  const permitted = folders.slice(0, Math.ceil(rules / 2));
  const paths = Array.from({ length: FILES }, (_, index) =>
    join(permitted[index % permitted.length] ?? directory, `file-${index}`),
  );
  for (const path of paths) writeFileSync(path, "");
  const configuration = resolveConfiguration({
    configuration: {
      workspace: "workspace",
      capabilities: { noop: true, fs_stat: true },
      allow: { read: permitted },
      deny: { read: folders.slice(permitted.length) },
      budgets: { calls: CALLS },
      memory: { path: "state" },
    },
    baseDirectory: directory,
    environment: process.env,
  });
  return sized({ rules }, configuration, async (session, n) => {
    completed(await session.propose({ tool_call: { tool: "fs_stat", args: { path: paths[n % paths.length] } } }));
  });
}

function sized(
  circumstances: Pick<Subject, "records" | "rules">,
  configuration: ResolvedConfiguration,
  execute: Execute,
): Size {
  const measuring = (measured: string, unit: Subject["unit"]) =>
    new Measurement({ preset: "scaling", measure: measured, unit, ...circumstances });
  return {
    configuration,
    execute,
    cost: measuring("CPU of an execution", "us/execution"),
    alone: measuring("p50 of one caller", "ms"),
    start: measuring("start of a runtime", "ms"),
    held: measuring("heap of a runtime", "MB"),
  };
}

async function measure(
  { configuration, execute, cost, alone, start, held }: Size,
  { effort }: BenchContext,
): Promise<void> {
  const before = heldBytes();
  const began = performance.now();
  await using runtime = await createRuntime({ configuration, capabilities: [noop], permit: ["noop"] });
  start.addValue(performance.now() - began);
  held.addValue((heldBytes() - before) / 1e6);
  await using session = runtime.openSession({ channel: "library", label: "bench" });
  const executions = scaled(EXECUTIONS, effort);
  const load = (): Promise<unknown> => loadOf(100, executions, (n) => execute(session, n));
  await load();
  const { cpuUs } = await timed(async () => void (await load()));
  cost.add({ value: cpuUs / executions, cpuUs: cpuUs / executions });
  alone.addValue(p50(await loadOf(1, scaled(EXECUTIONS_ALONE, effort), (n) => execute(session, n))));
}
