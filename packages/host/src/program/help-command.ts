/** The `help` command of the program and of each group of commands. It follows words to the command that they name. */
import { FemtoError, nearestName } from "@femtoclaw/protocol";
import type { Command } from "commander";
import { usageFix } from "./usage-fault.ts";

/** The built-in one of the library takes only one word, and prints the group's help if there is no such command. */
export function addHelpCommand(group: Command): void {
  group
    .command("help")
    .argument("[command...]", "words of a command")
    .description("print the help of a command")
    .action((words: readonly string[]) => words.reduce(commandOf, group).help());
}

function commandOf(group: Command, word: string): Command {
  const named = group.commands.find((command) => command.name() === word || command.aliases().includes(word));
  if (named !== undefined) return named;
  const nearest = nearestName(
    word,
    group.commands.map((command) => command.name()),
  );
  const suggestion = nearest === undefined ? "" : `; did you mean ${nearest}?`;
  throw new FemtoError("FEMTO_USAGE", `unknown command '${word}'${suggestion}`, { fix: usageFix(group) });
}
