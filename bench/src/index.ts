/** Figures of this machine, beside the yardstick of the same run. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ExecutionRow, measureExecutions } from "./execution.ts";
import type { HostCommand } from "./host-start.ts";
import { JOURNAL_RECORDS, type JournalRow, measureJournal } from "./journal.ts";
import { describeMachine, type Machine } from "./machine.ts";
import { measurePolicy, type PolicyRow } from "./policy.ts";
import { measureYardstick, type Yardstick } from "./yardstick.ts";

export type { ExecutionRow } from "./execution.ts";
export type { HostCommand } from "./host-start.ts";
export type { JournalRow } from "./journal.ts";
export type { Machine } from "./machine.ts";
export type { PolicyRow } from "./policy.ts";
export type { Yardstick } from "./yardstick.ts";

export const PRESETS = ["execution", "journal", "policy"] as const;
export type BenchPreset = (typeof PRESETS)[number];

export interface BenchOptions {
  readonly preset: BenchPreset;
  /** Records of the history that `journal` measures; without it, as many as are written within a minute or so. */
  readonly records?: number;
  /** How `journal` starts a host of this build. */
  readonly host: HostCommand;
}

export interface BenchReport {
  readonly machine: Machine;
  readonly yardstick: Yardstick;
  readonly rows: readonly (ExecutionRow | JournalRow | PolicyRow)[];
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
    } satisfies Record<BenchPreset, () => Promise<BenchReport["rows"]>>;
    return { machine: describeMachine(), yardstick, rows: await measure[preset]() };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
