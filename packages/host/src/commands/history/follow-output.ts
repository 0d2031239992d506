/** `executions follow`: shows what the program of one execution writes while it runs, and then the outcome. */
import { EXIT, FemtoError } from "@femtoclaw/protocol";
import { LiveText } from "../../terminal/live-text.ts";
import { replyLines } from "../../terminal/reply-text.ts";
import type { CommandContext } from "../command-context.ts";

/** A slow reader is told how much it missed; the program does not wait for it. */
export async function followOutput(context: CommandContext, id: string): Promise<number> {
  const { output } = context;
  await using operator = await context.operator();
  const text = new LiveText();
  for await (const part of operator.output(id)) {
    if (output.json) output.value({ output: part });
    else for (const line of text.lines(part)) output.line(line);
  }
  for (const line of text.end()) output.line(line);
  const { records: _, ...view } = await operator.execution(id);
  if (view.status === "pending") {
    const fix = "Do not propose the call again. See with `femtoclaw executions show` what became of it.";
    throw new FemtoError("FEMTO_DRAINING", "its output ended before its outcome came", { fix });
  }
  if (output.json) {
    output.value(view);
    return EXIT.ok;
  }
  // The output of the program is shown above already, so only the rest of the result follows.
  const { stdout: _stdout, stderr: _stderr, ...result } = view.result ?? {};
  const shown = view.result === undefined || !text.hasText ? view : { ...view, result };
  for (const line of replyLines(shown, output)) output.line(line);
  return EXIT.ok;
}
