/** What the commands of policy say of a log that is not what it should be. */
import type { LogVerdict } from "@femtoclaw/journal";
import { EXIT } from "@femtoclaw/protocol";
import { verdictLines } from "./audit.ts";
import type { CommandContext } from "./command-context.ts";

/** Nothing is decided again on a log that does not stand; the code is none of those that a difference has. */
export function refusedLog({ output }: CommandContext, verdict: LogVerdict): number {
  if (output.json) output.value({ verdict: verdict.verdict, log: verdict });
  else for (const line of verdictLines(verdict, [], output)) output.line(line);
  return verdict.verdict === "tampered" ? EXIT.journal : EXIT.incomplete;
}
