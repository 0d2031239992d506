/** `executions follow`: what the program of one execution writes, as it comes, and what came of it in the end. */
import { EXIT, FemtoError } from "@femtoclaw/protocol";
import type { ExecutionView } from "@femtoclaw/runtime";
import { LiveText } from "../terminal/live-text.ts";
import { replyLines } from "../terminal/reply-text.ts";
import type { CommandContext } from "./command-context.ts";

/** A reader that is slow is told what it missed; the program does not wait for it. */
export async function followOutput(context: CommandContext, id: string): Promise<number> {
  const { output } = context;
  await using operator = await context.operator();
  const text = new LiveText();
  for await (const part of operator.output(id)) {
    if (output.json) output.value({ output: part });
    else for (const line of text.lines(part)) output.line(line);
  }
  for (const line of text.end()) output.line(line);
  const { records: _, ...view } = (await operator.execution(id)) as ExecutionView & { readonly records: unknown };
  if (view.status === "pending") throw new FemtoError("FEMTO_DRAINING", "its output ended before its outcome came");
  if (output.json) {
    output.value(view);
    return EXIT.ok;
  }
  // What its program wrote stands above; only what was told in the end comes after it.
  const { stdout: _stdout, stderr: _stderr, ...result } = view.result ?? {};
  const shown = view.result === undefined || !text.hasText ? view : { ...view, result };
  for (const line of replyLines(shown, output)) output.line(line);
  return EXIT.ok;
}
