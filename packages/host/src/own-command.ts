/** How another process of this very FemtoClaw is started. */

import { printable } from "@femtoclaw/protocol";
import { OWN_CODE } from "#own-code";
import { libraryPathOf, programInForce } from "./installation/layout.ts";

/** The program and the words before those of the command. */
export function ownCommand(): readonly [program: string, ...words: string[]] {
  if ("release" in OWN_CODE) return [process.execPath];
  return [process.execPath, ...process.execArgv, process.argv[1] ?? ""];
}

/**
 * The same for a file that outlasts this process, such as an agent's. An upgrade puts another executable in force and
 * removes what lies further back; of an installation, the link leads to whatever is in force.
 */
export function lastingCommand(): readonly [program: string, ...words: string[]] {
  const [program, ...words] = ownCommand();
  const library = libraryPathOf(program);
  return [library === null ? program : programInForce(library), ...words];
}

/** How a person begins to write a command to this FemtoClaw. */
export function writtenCommand(): string {
  if ("release" in OWN_CODE) return printable(process.execPath, 4_096);
  return OWN_CODE.folder.includes("/node_modules/") ? "npx femtoclaw" : "npm run -s femtoclaw --";
}
