/** `undo`: takes back what an execution did to a file. The running host proposes the reverse call to its own gate. */
import { exitOf, replyLines } from "../../terminal/reply-text.ts";
import type { CommandContext } from "../command-context.ts";

export async function undoExecution(context: CommandContext, execution: string): Promise<number> {
  const { output } = context;
  await using operator = await context.operator();
  const reply = await operator.undo(execution);
  if (output.json) output.value(reply);
  else for (const line of replyLines(reply, output)) output.line(line);
  const why = reply.error === undefined ? undefined : UNTOUCHED.get(reply.error.code);
  if (!output.json && reply.status === "completed")
    output.talk(`undone; \`femtoclaw executions show ${reply.record?.seq}\` shows the call that did it`);
  if (why !== undefined) output.talk(`${why}, so nothing was changed`);
  return exitOf(reply);
}

const DRIFTED = "what is there now is not what the execution left";

/** Why the reverse call did nothing, for errors whose own words do not say that it did nothing. */
const UNTOUCHED: ReadonlyMap<string, string> = new Map([
  ["FEMTO_FILE_CHANGED", DRIFTED],
  ["FEMTO_FILE_EXISTS", DRIFTED],
  ["FEMTO_FILE_NOT_FOUND", DRIFTED],
  ["FEMTO_FILE_TYPE", DRIFTED],
  // A link, a pipe or a device stands there now, or the folder is gone or closed to the host.
  ["FEMTO_FACTS_FAILED", "what is there now cannot be examined as a file or folder"],
]);
