/** The command line of `inspect`. */
import type { Command } from "commander";
import type { Runner } from "../commands/command-context.ts";
import type { InspectOptions } from "../commands/inspect.ts";
import { sequenceNumber } from "./option-values.ts";

export function addInspectCommands(program: Command, run: Runner): void {
  const commands = () => import("../commands/inspect.ts");
  const key = ["--key <file>", "public key that was kept elsewhere, instead of the remembered one"] as const;
  const path = [
    "[file]",
    "state directory of a stopped host, a copy of one, or an exported tree; it is verified first",
  ] as const;
  const inspect = program
    .command("inspect")
    .enablePositionalOptions()
    .argument(...path)
    .option("--open", "open the page in the browser")
    .option("--approve", "allow answering operators' questions on the page")
    .option("--frames", "write frames as JSON lines instead of serving a page")
    .option("--from <seq>", "first record whose frames are written", sequenceNumber)
    .option(...key)
    .description("show the journal as a local page, until Ctrl-C")
    .action((file: string | undefined, options: InspectOptions) =>
      run(async (context) => (await commands()).inspect(context, file, options)),
    );
  inspect
    .command("export")
    .argument(...path)
    .requiredOption("--html <file>", "file that must not exist yet")
    .option(...key)
    .description("write the page with its records as one file")
    .action((file: string | undefined, options: { html: string; key?: string }) =>
      run(async (context) => (await commands()).exportInspection(context, file, options)),
    );
}
