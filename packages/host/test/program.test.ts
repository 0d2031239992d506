/** A process makes only the commands that it was called for. Nobody can tell, except by the time that it takes. */
import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { makeProgram } from "../src/program/program.ts";

const run = (): Promise<void> => Promise.resolve();
const whole = makeProgram(run);
const namesIn = ({ commands }: Command): string[] => commands.map((command) => command.name());
const names = namesIn(whole).filter((name) => name !== "help");

/** The help of a command and of all below it. */
function helpOf(command: Command | undefined): readonly string[] {
  if (command === undefined) return [];
  const said: string[] = [];
  command.configureOutput({ writeOut: (text) => said.push(text) }).outputHelp();
  return [...said, ...command.commands.flatMap(helpOf)];
}

describe.each(names)("%s", (name) => {
  const part = makeProgram(run, { named: name });

  test("is made without most of the others", () => {
    expect(namesIn(part)).toContain(name);
    expect(namesIn(part).length).toBeLessThan(names.length / 3);
  });

  test("is the same as among all others", () => {
    const found = ({ commands }: Command): Command | undefined => commands.find((command) => command.name() === name);
    expect(helpOf(found(part))).toEqual(helpOf(found(whole)));
  });
});

test.each([undefined, "", "help", "--help", "--version", "no-such-command"])(
  "%j names none, so all are made",
  (named) => {
    expect(namesIn(makeProgram(run, { named }))).toEqual(namesIn(whole));
  },
);
