/** Entry of the `femtoclaw` command. */
import { runProgram } from "./program.ts";

// Talk that nobody hears any more is no reason to stop: a host outlives the terminal that showed its log.
process.stderr.on("error", () => undefined);
// A reader that goes away, such as `head`, ends the command quietly.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 0 : 2);
});

process.exitCode = await runProgram(process.argv.slice(2));
