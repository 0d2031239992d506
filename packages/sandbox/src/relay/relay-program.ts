/** The relay of the sources: this Node.js and one file of ours. */
import { join } from "node:path";
import type { RelayProgram } from "./relay-command.ts";

export function relayProgram(folder: string): RelayProgram {
  const main = join(folder, "relay.mjs");
  const door = join(folder, "door.mjs");
  const code = `import(${JSON.stringify(main)}).then(({ relay }) => relay(process.argv.slice(1)))`;
  return {
    files: [
      { from: process.execPath, to: join(folder, "relay") },
      { from: join(import.meta.dirname, "relay.js"), to: main },
    ],
    command: [join(folder, "relay"), "--no-warnings", "--eval", code, "--"],
    door: {
      files: [{ from: join(import.meta.dirname, "door.js"), to: door }],
      script: `#!${join(folder, "relay")}\nimport(${JSON.stringify(door)}).then(({ door }) => door());\n`,
    },
  };
}
