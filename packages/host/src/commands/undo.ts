/** `undo`: takes back what an execution did to a file. The running host proposes the reverse call to its own gate. */
import type { Reply } from "@femtoclaw/protocol";
import { exitOf, replyLines } from "../terminal/reply-text.ts";
import type { CommandContext } from "./command-context.ts";

export async function undoExecution(context: CommandContext, execution: string): Promise<number> {
  const { output } = context;
  await using operator = await context.operator();
  const reply = await operator.undo(execution);
  if (output.json) output.value(reply);
  else for (const line of replyLines(reply, output)) output.line(line);
  if (hasDrifted(reply)) output.talk("what is there now is not what the execution left, so nothing was changed");
  return exitOf(reply);
}

const DRIFTED: ReadonlySet<string> = new Set([
  "FEMTO_FILE_CHANGED",
  "FEMTO_FILE_EXISTS",
  "FEMTO_FILE_NOT_FOUND",
  "FEMTO_FILE_TYPE",
]);

const hasDrifted = ({ error }: Reply): boolean => error !== undefined && DRIFTED.has(error.code);
