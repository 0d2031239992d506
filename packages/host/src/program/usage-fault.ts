/** Reports faults of a command line like every other fault: with a code, and with what to do next. */
import { FemtoError } from "@femtoclaw/protocol";
import type { Command, CommanderError } from "commander";

/** Null if nothing is wrong: help or the version was printed, or a group of commands printed its help. */
export function usageFault(command: Command, { code, exitCode, message }: CommanderError): FemtoError | null {
  if (exitCode === 0 || code === "commander.help") return null;
  // Commander puts a suggestion on a line of its own, in brackets.
  const problem = message.replace(/^error: /, "").replace(/\.?\n\(Did you mean (.*)\?\)$/s, "; did you mean $1?");
  return new FemtoError("FEMTO_USAGE", problem, { fix: usageFix(command) });
}

export function usageFix(command: Command): string {
  return `\`${wordsOf(command)} --help\` shows how it is used.`;
}

/** The words that lead to a command, with the name of the program first. */
export function wordsOf(command: Command): string {
  return command.parent === null ? command.name() : `${wordsOf(command.parent)} ${command.name()}`;
}
