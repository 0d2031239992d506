/** Figures of this machine, beside the yardstick of the same run. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ExecutionRow, measureExecutions } from "./execution.ts";
import type { HostCommand } from "./host-start.ts";
import { JOURNAL_RECORDS, measureJournal } from "./journal.ts";
import { describeMachine, type Machine } from "./machine.ts";
import type { MeasureRow } from "./measurement.ts";
import { measurePolicy } from "./policy.ts";
import { measureSandbox } from "./sandbox.ts";
import { measureStartup } from "./startup.ts";
import { measureYardstick, type Yardstick } from "./yardstick.ts";

export type { ExecutionRow } from "./execution.ts";
export type { HostCommand } from "./host-start.ts";
export type { Machine } from "./machine.ts";
export type { MeasureRow } from "./measurement.ts";
export type { Yardstick } from "./yardstick.ts";

export const PRESETS = ["execution", "journal", "policy", "sandbox", "startup"] as const;
export type BenchPreset = (typeof PRESETS)[number];

export interface BenchOptions {
  readonly preset: BenchPreset;
  /** Records of the history that `journal` and `startup` have before them; without it, as many as take a minute or so. */
  readonly records?: number;
  /** How a host of this build is started. */
  readonly host: HostCommand;
}

export interface BenchReport {
  readonly machine: Machine;
  readonly yardstick: Yardstick;
  readonly rows: readonly (ExecutionRow | MeasureRow)[];
}

/** Runs the preset in a temporary folder, which is removed afterwards. */
export async function runBench(
  { preset, records = JOURNAL_RECORDS, host }: BenchOptions,
  onProgress: (text: string) => void,
): Promise<BenchReport> {
  const directory = mkdtempSync(join(tmpdir(), "femtoclaw-bench-"));
  try {
    onProgress("yardstick");
    const yardstick = await measureYardstick(directory);
    const measure = {
      execution: () => measureExecutions(directory, onProgress),
      journal: () => measureJournal(directory, records, host, onProgress),
      policy: () => measurePolicy(onProgress),
      sandbox: () => measureSandbox(directory, onProgress),
      startup: () => measureStartup(directory, records, host, onProgress),
    } satisfies Record<BenchPreset, () => Promise<BenchReport["rows"]>>;
    return { machine: describeMachine(), yardstick, rows: await measure[preset]() };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
