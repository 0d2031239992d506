/** Where a program of the tests lies that a run of tests has put into few files, as `tested-command.ts` says. */
import { basename, dirname, join } from "node:path";

/** The program itself where no run has begun with that. */
export function testedProgram(source: string): string {
  const command = process.env["TESTED_COMMAND"];
  return command === undefined ? source : join(dirname(command), `${basename(source, ".ts")}.mjs`);
}
