/** The relay of the executable: the executable itself. */
import { join } from "node:path";
import { DOOR_WORD } from "./door.js";
import { RELAY_WORD } from "./relay.js";
import type { RelayProgram } from "./relay-command.ts";

export function relayProgram(folder: string): RelayProgram {
  const program = join(folder, "relay");
  return {
    files: [{ from: process.execPath, to: program }],
    command: [program, RELAY_WORD],
    door: { files: [], script: `#!${program} ${DOOR_WORD}\n` },
  };
}
