/** `bench`: measures how fast this build is on this machine, compared with the best that the machine can do. */
import { readFileSync, realpathSync } from "node:fs";
import {
  type BenchPreset,
  type BenchReport,
  compareReports,
  HISTORY_PRESETS,
  type HostCommand,
  PRESETS,
  readReport,
  runBench,
} from "@femtoclaw/bench";
import { EXIT, errorText, FemtoError, printable } from "@femtoclaw/protocol";
import { ownCommand } from "../own-command.ts";
import { comparisonLines, reportLines } from "../terminal/bench-text.ts";
import type { CommandContext } from "./command-context.ts";

export interface BenchFlags {
  readonly records?: number;
  readonly quick?: boolean;
  /** File with the report of another run, to compare with. */
  readonly compare?: string;
  /** A built executable, to measure as well. */
  readonly bin?: string;
}

export async function bench(context: CommandContext, name: string, flags: BenchFlags): Promise<number> {
  const { output } = context;
  const presets = presetsOf(name);
  if (flags.records !== undefined && !presets.some((preset) => HISTORY_PRESETS.includes(preset))) {
    throw new FemtoError("FEMTO_USAGE", `the preset \`${name}\` measures no history`, {
      fix: `Use --records with all presets or with one of ${HISTORY_PRESETS.join(", ")}.`,
    });
  }
  const { records, quick, bin } = flags;
  // The other report is read first, so that an unusable one is found before minutes are spent on measuring.
  const before = flags.compare === undefined ? null : reportIn(flags.compare);
  const host: HostCommand = ownCommand();
  const report = await runBench(
    {
      presets,
      host,
      ...(records === undefined ? {} : { records }),
      ...(quick === undefined ? {} : { quick }),
      ...(bin === undefined ? {} : { executable: [realpathSync(bin)] }),
    },
    (text) => output.talk(text),
  );
  const comparison = before === null ? null : compareReports(before, report);
  if (output.json) output.value(comparison === null ? report : { ...report, comparison });
  else {
    for (const line of reportLines(report)) output.line(line);
    for (const line of comparison === null ? [] : comparisonLines(comparison)) output.line(line);
  }
  return comparison?.changes.some(({ verdict }) => verdict === "worse") === true ? EXIT.no : EXIT.ok;
}

function presetsOf(name: string): readonly BenchPreset[] {
  if (name === "all") return PRESETS;
  const preset = PRESETS.find((known) => known === name);
  if (preset !== undefined) return [preset];
  throw new FemtoError("FEMTO_USAGE", `no preset is called \`${printable(name)}\``, {
    fix: `Use all or one of ${PRESETS.join(", ")}.`,
  });
}

function reportIn(path: string): BenchReport {
  try {
    return readReport(readFileSync(path, "utf8"));
  } catch (error) {
    throw new FemtoError("FEMTO_USAGE", `${printable(path)} cannot be used for the comparison: ${errorText(error)}`, {
      fix: "Name a file with the output of `bench --json`.",
    });
  }
}
