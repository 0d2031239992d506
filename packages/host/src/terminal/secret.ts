/** Asks the person at the terminal for a secret, which is shown nowhere: not on the screen, in no argument, in no history. */
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { FemtoError } from "@femtoclaw/protocol";

/** Throws FEMTO_OPERATOR_KEY where there is no terminal, and when whoever sits there breaks it off. */
export async function askSecret(question: string): Promise<string> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new FemtoError("FEMTO_OPERATOR_KEY", "a passphrase is typed on a terminal, and there is none here");
  }
  // What is typed is echoed to where the terminal's own editing is: nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0 });
  process.stderr.write(`${question} `);
  try {
    return await terminal.question("");
  } catch (cause) {
    throw new FemtoError("FEMTO_OPERATOR_KEY", "no passphrase was typed", { cause });
  } finally {
    terminal.close();
    process.stderr.write("\n");
  }
}
