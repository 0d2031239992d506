/** Runs one command as a process: its arguments, its output streams, its exit code. */
import { EXIT } from "@femtoclaw/protocol";
import { keepMemoryOutOfCoreFiles } from "../process/core-files.ts";
import { runProgram } from "./program.ts";

export async function runCommand(): Promise<void> {
  keepMemoryOutOfCoreFiles();
  // INVARIANT: I8: without a handler this signal would open a debugger, on a port that every process of the machine can
  // reach.
  process.on("SIGUSR1", () => undefined);
  // Losing the reader of stderr is no reason to stop: a host outlives the terminal that showed its log.
  process.stderr.on("error", () => undefined);
  // If a reader such as `head` goes away, the command ends quietly.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") {
      // INVARIANT: the exit code does not depend on a reader that goes away: a command that is done has set it by then.
      setImmediate(() => process.exit(process.exitCode ?? EXIT.ok));
      return;
    }
    process.stderr.write(`femtoclaw: its output cannot be written (${error.code ?? error.message})\n`);
    process.exit(EXIT.internal);
  });
  // A command that ends without a result, because nothing is left to wait for, has not succeeded.
  const fail = (): void => {
    process.exitCode = EXIT.internal;
  };
  process.once("beforeExit", fail);
  const exit = await runProgram(process.argv.slice(2));
  process.off("beforeExit", fail);
  process.exitCode = exit;
}
