/** Asks the person at the terminal to confirm by typing a word. Leaving or interrupting does not confirm. */
import { createInterface } from "node:readline/promises";

/** False if there is no terminal to ask at. */
export async function confirms(question: string, word: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question(`${question} (${word}/no) `)).trim() === word;
  } catch (error) {
    if (error instanceof Error && error.name === "AbortError") return false;
    throw error;
  } finally {
    terminal.close();
  }
}
