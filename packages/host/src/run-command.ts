/** One command as a process: its words, its voices, its exit code. */
import { EXIT } from "@femtoclaw/protocol";
import { keepMemoryOutOfCoreFiles } from "./core-files.ts";
import { runProgram } from "./program.ts";

export async function runCommand(): Promise<void> {
  keepMemoryOutOfCoreFiles();
  // INVARIANT: I8: else it would open a debugger, at a port that every process of the machine reaches.
  process.on("SIGUSR1", () => undefined);
  // Talk that nobody hears any more is no reason to stop: a host outlives the terminal that showed its log.
  process.stderr.on("error", () => undefined);
  // A reader that goes away, such as `head`, ends the command quietly.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") {
      // INVARIANT: a verdict is no other one because its reader went away; a command that is at its end has said it by then.
      setImmediate(() => process.exit(process.exitCode ?? EXIT.ok));
      return;
    }
    process.stderr.write(`femtoclaw: its output cannot be written (${error.code ?? error.message})\n`);
    process.exit(EXIT.internal);
  });
  // A command that ends without a result, because nothing is left that it waits for, has not succeeded.
  const fail = (): void => {
    process.exitCode = EXIT.internal;
  };
  process.once("beforeExit", fail);
  const exit = await runProgram(process.argv.slice(2));
  process.off("beforeExit", fail);
  process.exitCode = exit;
}
