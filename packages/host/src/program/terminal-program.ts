/** The command line of `terminal`. */
import { type Command, Option } from "commander";
import type { Runner } from "../commands/command-context.ts";

export function addTerminalCommands(program: Command, run: Runner): void {
  const commands = () => import("../commands/terminals.ts");
  const terminal = program.command("terminal").description("terminals that agents have opened");
  terminal
    .command("list")
    .description("list open terminals of the running host, the newest first")
    .action(() => run(async (context) => (await commands()).listTerminals(context)));
  terminal
    .command("attach")
    .argument("<id>", "identifier of the terminal, or number of a record of its opening")
    .description("watch a terminal live, read-only; Ctrl-] stops watching")
    .action((id: string) => run(async (context) => (await commands()).attachTerminal(context, id)));
  terminal
    .command("export")
    .argument("<id>", "the same; it may have ended")
    .addOption(new Option("--format <format>", "form of the recording").choices(["asciicast"]).default("asciicast"))
    .option("--out <file>", "file that must not exist yet, instead of stdout")
    .description("write the recording of a terminal, from the running host or a stopped journal")
    .action((id: string, options: { out?: string }) =>
      run(async (context) => (await commands()).exportTerminal(context, id, options)),
    );
}
