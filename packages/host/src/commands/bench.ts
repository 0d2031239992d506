/** `bench`: how fast this build is on this machine, beside what the machine can do at best. */
import {
  type BenchPreset,
  type BenchReport,
  type ExecutionRow,
  type HostCommand,
  type JournalRow,
  type PolicyRow,
  PRESETS,
  runBench,
} from "@femtoclaw/bench";
import { EXIT, FemtoError, printable } from "@femtoclaw/protocol";
import { ownCommand } from "../own-command.ts";
import { table } from "../terminal/table.ts";
import type { CommandContext } from "./command-context.ts";

export async function bench(
  context: CommandContext,
  name: string,
  options: { readonly records?: number },
): Promise<number> {
  const { output } = context;
  const preset: BenchPreset | undefined = PRESETS.find((known) => known === name);
  if (preset === undefined) {
    throw new FemtoError("FEMTO_USAGE", `no preset is called \`${printable(name)}\``, {
      fix: `Use one of ${PRESETS.join(", ")}.`,
    });
  }
  if (options.records !== undefined && preset !== "journal") {
    throw new FemtoError("FEMTO_USAGE", `the preset \`${preset}\` measures no history`, {
      fix: "Use --records with the preset journal alone.",
    });
  }
  const host: HostCommand = ownCommand();
  const report = await runBench({ preset, host, ...options }, (text) => output.talk(text));
  if (output.json) output.value(report);
  else for (const line of reportLines(report)) output.line(line);
  return EXIT.ok;
}

function reportLines({ machine, yardstick, rows }: BenchReport): string[] {
  return [
    `${machine.cores} × ${machine.cpu}, ${machine.memory_gib} GiB, ${machine.system}, Node ${machine.node}`,
    `yardstick: ${yardstick.sync_put_per_s} single sync puts/s, ${yardstick.grouped_put_per_s} grouped puts/s, empty process ${yardstick.node_e0_ms} ms`,
    "",
    ...executionLines(rows.filter((row) => row.preset === "execution")),
    ...journalLines(rows.filter((row) => row.preset === "journal")),
    ...policyLines(rows.filter((row) => row.preset === "policy")),
  ];
}

function executionLines(rows: readonly ExecutionRow[]): string[] {
  const header = ["preset", "surface", "callers", "executions/s", "p50 ms", "p99 ms", "CPU µs each", "rounds"];
  const cells = rows.map((row) => [
    row.preset,
    row.surface,
    String(row.callers),
    String(row.executions_per_s),
    String(row.p50_ms),
    String(row.p99_ms),
    String(row.cpu_us),
    String(row.rounds),
  ]);
  return rows.length === 0 ? [] : table([header, ...cells]);
}

function journalLines(rows: readonly JournalRow[]): string[] {
  const header = ["preset", "measure", "records", "threads", "median", "lowest", "highest", "unit", "CPU µs", "rounds"];
  const cells = rows.map((row) => [
    row.preset,
    row.measure,
    String(row.records),
    String(row.threads),
    String(row.value),
    String(row.lowest),
    String(row.highest),
    row.unit,
    String(row.cpu_us ?? "-"),
    String(row.rounds),
  ]);
  return rows.length === 0 ? [] : table([header, ...cells]);
}

function policyLines(rows: readonly PolicyRow[]): string[] {
  const header = ["preset", "measure", "rules", "median", "lowest", "highest", "unit", "CPU µs", "rounds"];
  const cells = rows.map((row) => [
    row.preset,
    row.measure,
    String(row.rules),
    String(row.value),
    String(row.lowest),
    String(row.highest),
    row.unit,
    String(row.cpu_us),
    String(row.rounds),
  ]);
  return rows.length === 0 ? [] : table([header, ...cells]);
}
