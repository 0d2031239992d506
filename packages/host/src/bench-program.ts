/** The command line of `bench`. */
import type { Command } from "commander";
import type { BenchFlags } from "./commands/bench.ts";
import type { Runner } from "./commands/command-context.ts";
import { wholeNumber } from "./option-values.ts";

export function addBenchCommand(program: Command, run: Runner): void {
  program
    .command("bench")
    .argument("[preset]", "one of what the reference lists", "all")
    .option(
      "--records <n>",
      "size of the history that journal, replay, scaling, startup and verify begin with",
      records,
    )
    .option("--quick", "only see that all of it works")
    .option("--compare <file>", "tell what changed since a run whose --json is in the file")
    .option("--bin <file>", "measure a built executable beside the sources")
    .description("measure this build on this machine")
    .action((preset: string, flags: BenchFlags) =>
      run(async (context) => (await import("./commands/bench.ts")).bench(context, preset, flags)),
    );
}

function records(text: string): number {
  return wholeNumber(text, 1, Number.MAX_SAFE_INTEGER, "a number of records");
}
