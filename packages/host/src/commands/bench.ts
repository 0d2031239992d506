/** `bench`: how fast this build is on this machine, beside what the machine can do at best. */
import { type BenchReport, PRESETS, runBench } from "@femtoclaw/bench";
import { EXIT, FemtoError, printable } from "@femtoclaw/protocol";
import { table } from "../terminal/table.ts";
import type { CommandContext } from "./command-context.ts";

export async function bench(context: CommandContext, preset: string | undefined): Promise<number> {
  const { output } = context;
  if (preset !== undefined && !(PRESETS as readonly string[]).includes(preset)) {
    throw new FemtoError("FEMTO_USAGE", `no preset is called \`${printable(preset)}\``, {
      fix: `Use one of ${PRESETS.join(", ")}.`,
    });
  }
  const report = await runBench((text) => output.talk(text));
  if (output.json) output.value(report);
  else for (const line of reportLines(report)) output.line(line);
  return EXIT.ok;
}

function reportLines({ machine, yardstick, rows }: BenchReport): string[] {
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
  return [
    `${machine.cores} × ${machine.cpu}, ${machine.memory_gib} GiB, ${machine.system}, Node ${machine.node}`,
    `yardstick: ${yardstick.sync_put_per_s} single sync puts/s, ${yardstick.grouped_put_per_s} grouped puts/s, empty process ${yardstick.node_e0_ms} ms`,
    "",
    ...table([header, ...cells]),
  ];
}
