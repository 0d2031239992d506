/** One command as a process: its words, its voices, its exit code. */
import { EXIT } from "@femtoclaw/protocol";
import { runProgram } from "./program.ts";

export async function runCommand(): Promise<void> {
  // Talk that nobody hears any more is no reason to stop: a host outlives the terminal that showed its log.
  process.stderr.on("error", () => undefined);
  // A reader that goes away, such as `head`, ends the command quietly.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    process.exit(error.code === "EPIPE" ? EXIT.ok : EXIT.internal);
  });
  // A command that ends without a result, because nothing is left that it waits for, has not succeeded.
  process.exitCode = EXIT.internal;
  process.exitCode = await runProgram(process.argv.slice(2));
}
