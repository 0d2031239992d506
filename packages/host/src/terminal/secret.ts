/**
 * Asks the person at the terminal for a secret, which appears neither on the screen nor in arguments nor in a history.
 */
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { FemtoError } from "@femtoclaw/protocol";

/** Throws FEMTO_OPERATOR_KEY if there is no terminal or the person interrupts the question. */
export async function askSecret(question: string): Promise<string> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new FemtoError("FEMTO_OPERATOR_KEY", "a passphrase is typed on a terminal, and there is none here");
  }
  // The terminal's line editor echoes what is typed to its output, so that is discarded.
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
