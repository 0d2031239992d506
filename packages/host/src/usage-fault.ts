/** What is wrong with a command line, told as every other fault is: with a code, and with what to do next. */
import { FemtoError } from "@femtoclaw/protocol";
import type { Command, CommanderError } from "commander";

/** Null where nothing is wrong: help or the version was printed, or a group of commands printed its own. */
export function usageFault(command: Command, { code, exitCode, message }: CommanderError): FemtoError | null {
  if (exitCode === 0 || code === "commander.help") return null;
  // A suggestion stands on a line of its own, in brackets.
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
