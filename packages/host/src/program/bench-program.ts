/** The command line of `bench`. */
import type { Command } from "commander";
import type { BenchFlags } from "../commands/bench.ts";
import type { Runner } from "../commands/command-context.ts";
import { wholeNumber } from "./option-values.ts";

export function addBenchCommand(program: Command, run: Runner): void {
  program
    .command("bench")
    .argument("[preset]", "one of the presets that the reference lists", "all")
    .option(
      "--records <n>",
      "number of records in the history with which journal, replay, scaling, startup and verify begin",
      records,
    )
    .option("--quick", "only check that everything works")
    .option("--compare <file>", "compare with an earlier run, whose --json output is in the file")
    .option("--bin <file>", "also measure a built executable")
    .description("measure this build on this machine")
    .action((preset: string, flags: BenchFlags) =>
      run(async (context) => (await import("../commands/bench.ts")).bench(context, preset, flags)),
    );
}

function records(text: string): number {
  return wholeNumber(text, 1, Number.MAX_SAFE_INTEGER, "a number of records");
}
