/** The first sight of a log that a fork or a restore has begun. */
import { proveContinuation } from "@femtoclaw/journal";
import { errorText, printable } from "@femtoclaw/protocol";
import { readJournal } from "../read-journal.ts";
import type { CommandContext } from "./command-context.ts";

/**
 * It was begun just now, so that its first sight is the right one. The log stands whether it can be looked at or not: where
 * it cannot, as on a disk that is full by then, that is told, and the next sight counts as the first.
 */
export async function meetBegun(context: CommandContext, directory: string): Promise<void> {
  try {
    await using journal = await readJournal(directory);
    await context.logMemoryAt(directory).meet((from) => proveContinuation(journal.reader, from));
  } catch (error) {
    const reason = printable(errorText(error), 2_000);
    context.output.talk(`the new log could not be remembered, and its next sight counts as the first: ${reason}`);
  }
}
