/**
 * The command line of `bench` in the standalone executable, which measures nothing, because its comparisons need a
 * Node.js beside it. The command is hidden from all lists, and tells those who read of it elsewhere where to find it.
 */
import { FemtoError } from "@femtoclaw/protocol";
import type { Command } from "commander";

export function addBenchCommand(program: Command): void {
  program
    .command("bench", { hidden: true })
    .argument("[words...]", "arguments of the command in a clone")
    .allowUnknownOption()
    .description("not in the executable: `npm run bench` in a clone of FemtoClaw measures this build on this machine")
    .action(() => {
      throw new FemtoError("FEMTO_USAGE", "the standalone executable holds no bench", {
        fix: "Run `npm run bench` in a clone of FemtoClaw.",
      });
    });
}
