/** `bench`: how fast this build is on this machine, beside what the machine can do at best. */
import {
  type BenchPreset,
  type BenchReport,
  type ExecutionRow,
  type HostCommand,
  type MeasureRow,
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
  if (options.records !== undefined && preset !== "journal" && preset !== "startup") {
    throw new FemtoError("FEMTO_USAGE", `the preset \`${preset}\` measures no history`, {
      fix: "Use --records with the presets journal and startup alone.",
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
    ...measureLines(rows.filter((row) => row.preset !== "execution")),
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

/** A column for each circumstance that the rows have. */
function measureLines(rows: readonly MeasureRow[]): string[] {
  const circumstances = (["records", "rules", "threads", "callers"] as const).filter((name) =>
    rows.some((row) => row[name] !== undefined),
  );
  const hasRatio = rows.some(({ ratio }) => ratio !== undefined);
  const header = [
    ...["preset", "measure", ...circumstances, "median", "lowest", "highest", "unit"],
    ...[...(hasRatio ? ["ratio"] : []), "CPU µs", "rounds"],
  ];
  const cells = rows.map((row) => [
    ...[row.preset, row.measure, ...circumstances.map((name) => String(row[name] ?? "-"))],
    ...[String(row.value), String(row.lowest), String(row.highest), row.unit],
    ...(hasRatio ? [row.ratio === undefined ? "-" : `${row.ratio}×`] : []),
    ...[String(row.cpu_us ?? "-"), String(row.rounds)],
  ]);
  return rows.length === 0 ? [] : table([header, ...cells]);
}
