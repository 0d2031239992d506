/** What the `policy` commands say about a log that is not as it should be. */
import type { LogVerdict } from "@femtoclaw/journal";
import { EXIT } from "@femtoclaw/protocol";
import { verdictLines } from "../audit/audit.ts";
import type { CommandContext } from "../command-context.ts";

/**
 * Nothing is decided again on a log that does not verify. The exit code of a tampered log is not EXIT.no, which means
 * that a decision differs.
 */
export function refusedLog({ output }: CommandContext, verdict: LogVerdict): number {
  if (output.json) output.value({ verdict: verdict.verdict, log: verdict });
  else for (const line of verdictLines(verdict, [], output)) output.line(line);
  return verdict.verdict === "tampered" ? EXIT.journal : EXIT.incomplete;
}
