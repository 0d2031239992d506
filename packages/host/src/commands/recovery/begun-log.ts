/** Remembers a log that a fork or a restore has just begun. */
import { proveContinuation } from "@femtoclaw/journal";
import { errorText, printable } from "@femtoclaw/protocol";
import { readJournal } from "../../log/read-journal.ts";
import type { CommandContext } from "../command-context.ts";

/**
 * The log was begun just now, so this first look at it can be trusted. The log is valid even if it cannot be
 * remembered, for example because the disk has become full. This is then reported, and the next look counts as the
 * first.
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
