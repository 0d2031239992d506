/** How to start another process of this same FemtoClaw. */

import { printable } from "@femtoclaw/protocol";
import { OWN_CODE } from "#own-code";
import { libraryPathOf, programInForce } from "./installation/layout.ts";

/** The program, and the words that precede those of a command. */
export function ownCommand(): readonly [program: string, ...words: string[]] {
  if ("release" in OWN_CODE) return [process.execPath];
  return [process.execPath, ...process.execArgv, process.argv[1] ?? ""];
}

/**
 * Like `ownCommand`, for a file that outlasts this process, such as an agent's configuration. An upgrade puts another
 * executable in force and removes older ones. So for an installation this is the link that leads to the executable in
 * force.
 */
export function lastingCommand(): readonly [program: string, ...words: string[]] {
  const [program, ...words] = ownCommand();
  const library = libraryPathOf(program);
  return [library === null ? program : programInForce(library), ...words];
}

/** The beginning of a command line for this FemtoClaw, for people to type. */
export function writtenCommand(): string {
  if ("release" in OWN_CODE) return printable(process.execPath, 4_096);
  return OWN_CODE.folder.includes("/node_modules/") ? "npx femtoclaw" : "npm run -s femtoclaw --";
}
