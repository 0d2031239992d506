/** Each command shows in its help how it is used, in lines that the command line understands. */
import { describe, expect, test } from "vitest";
import { commandsOf, everyCommand } from "./command-lines.ts";

describe.each([...everyCommand()])("%s --help", (name, command) => {
  const help: string[] = [];
  command.configureOutput({ writeOut: (text) => help.push(text) }).outputHelp();
  const [, shown = ""] = help.join("").split(/\nExamples?:\n/);
  const examples = shown.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]));

  test("has an example, and each leads to the command", async () => {
    expect(examples).not.toEqual([]);
    const reached = await Promise.all(examples.map(commandsOf));
    // A group is shown by what one does with it.
    const meant = (words: string) => words === name || (command.commands.length > 0 && words.startsWith(`${name} `));
    expect(reached.filter((commands) => !commands.some(meant))).toEqual([]);
  });
});
