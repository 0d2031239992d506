/** What the command line makes of a line that somebody reads in a help text or a document, without doing it. */
import { execFileSync } from "node:child_process";
import type { Command } from "commander";
import { makeProgram } from "../src/program/program.ts";
import { wordsOf } from "../src/program/usage-fault.ts";

/** Each command but `help`, by the words that lead to it. */
export function everyCommand(): ReadonlyMap<string, Command> {
  const all = (command: Command): Command[] => [command, ...command.commands.flatMap(all)];
  const commands = all(program()).filter((command) => command.name() !== "help");
  return new Map(commands.map((command) => [wordsOf(command), command]));
}

/** The words that lead to the commands that a line of a shell runs; a fault where its words cannot be understood. */
export async function commandsOf(line: string): Promise<readonly string[]> {
  const reached: string[] = [];
  for (const words of calledBy(line)) {
    const understood = program().hook("preAction", (_program, command) => {
      reached.push(wordsOf(command));
      throw new Understood();
    });
    await understood.parseAsync([...words], { from: "user" }).catch((error: unknown) => {
      if (!(error instanceof Understood)) throw error;
    });
  }
  return reached;
}

class Understood extends Error {}

function program(): Command {
  return makeProgram(() => Promise.resolve());
}

/** A real shell reads it, which finds no program but ours and writes to no file: that stands for `femtoclaw`, and tells its words. */
function calledBy(line: string): readonly (readonly string[])[] {
  const script = `PATH=/nonexistent
femtoclaw() { printf '%s\\0' "$@" >&3; printf '\\n' >&3; }
sudo() { "$@"; }
eval() { :; }
${line.replaceAll(/ [<>] ?[^ ]+/g, "").replaceAll(/\.\/femtoclaw[a-z0-9-]*/g, "femtoclaw")}`;
  const told = execFileSync("bash", ["--norc", "-c", `{ ${script}\n} 3>&1 >/dev/null 2>/dev/null || true`], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return told
    .split("\n")
    .filter((words) => words !== "")
    .map((words) => words.split("\0").slice(0, -1));
}
