/** The presets that can be measured, and a run of one or all of them. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VERSION } from "@femtoclaw/protocol";
import { measureApprovals } from "./approvals.ts";
import type { BenchContext } from "./context.ts";
import { measureCrash } from "./crash.ts";
import { FULL, QUICK } from "./effort.ts";
import { type ExecutionRow, measureExecutions } from "./execution.ts";
import { measureFairness } from "./fairness.ts";
import type { HostCommand } from "./host-start.ts";
import { measureInspector } from "./inspector.ts";
import { measureJournal } from "./journal.ts";
import { describeMachine, type Machine, ownCommit } from "./machine.ts";
import { measureMcp } from "./mcp.ts";
import type { MeasureRow } from "./measurement.ts";
import { measureMemory } from "./memory.ts";
import { measurePolicy } from "./policy.ts";
import { measureProtocol } from "./protocol.ts";
import { measureReplay } from "./replay.ts";
import { measureSandbox } from "./sandbox.ts";
import { measureScaling } from "./scaling.ts";
import { measureStartup } from "./startup.ts";
import { measureVerify } from "./verify.ts";
import { measureYardstick, type Yardstick } from "./yardstick.ts";

const MEASURES = {
  execution: measureExecutions,
  sandbox: measureSandbox,
  fairness: measureFairness,
  mcp: measureMcp,
  inspector: measureInspector,
  startup: measureStartup,
  scaling: measureScaling,
  memory: measureMemory,
  approvals: measureApprovals,
  crash: measureCrash,
  journal: measureJournal,
  replay: measureReplay,
  verify: measureVerify,
  policy: measurePolicy,
  protocol: measureProtocol,
} satisfies Record<string, (context: BenchContext) => Promise<(ExecutionRow | MeasureRow)[]>>;

export type BenchPreset = keyof typeof MEASURES;
export const PRESETS = Object.keys(MEASURES) as readonly BenchPreset[];
/** Presets that begin with a history whose size can be chosen. */
export const HISTORY_PRESETS: readonly BenchPreset[] = ["journal", "replay", "scaling", "startup", "verify"];

/** A run of all presets ends within ten minutes; `--records 1000000` takes longer and shows more. */
const RECORDS = 100_000;
const RECORDS_QUICK = 2_000;

export interface BenchOptions {
  readonly presets: readonly BenchPreset[];
  /** Records with which presets about histories begin; the default takes a minute or so. */
  readonly records?: number;
  /** Only to see that everything works. */
  readonly quick?: boolean;
  /** The command that starts a host of this build. */
  readonly host: HostCommand;
  /** A built executable that is measured as well. */
  readonly executable?: HostCommand;
}

export interface BenchReport {
  readonly machine: Machine;
  readonly version: string;
  /** Commit of the measured clone, with `-dirty` if it was changed since; null if there is none. */
  readonly commit: string | null;
  readonly quick: boolean;
  readonly yardstick: Yardstick;
  readonly rows: readonly (ExecutionRow | MeasureRow)[];
}

/** Runs the presets one after the other, each in a temporary folder of its own, which is removed afterwards. */
export async function runBench(options: BenchOptions, onProgress: (text: string) => void): Promise<BenchReport> {
  const { presets, quick = false, host, executable = null } = options;
  const defaultRecords = quick ? RECORDS_QUICK : RECORDS;
  const directory = mkdtempSync(join(tmpdir(), "femtoclaw-bench-"));
  try {
    onProgress("yardstick");
    const yardstick = await measureYardstick(directory);
    const rows: (ExecutionRow | MeasureRow)[] = [];
    for (const preset of presets) {
      const own = join(directory, preset);
      mkdirSync(own, { mode: 0o700 });
      const context: BenchContext = {
        directory: own,
        effort: quick ? QUICK : FULL,
        host,
        executable,
        yardstick,
        records: options.records ?? defaultRecords,
        onProgress: (text) => onProgress(`${preset}: ${text}`),
      };
      rows.push(...(await MEASURES[preset](context)));
      rmSync(own, { recursive: true, force: true });
    }
    return { machine: describeMachine(), version: VERSION, commit: await ownCommit(), quick, yardstick, rows };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
