/** `policy why`: why a past call was permitted or refused, and what would change that. */
import { EXIT } from "@femtoclaw/protocol";
import { readDecision } from "../../policy/decision-source.ts";
import { explainDecision } from "../../policy/why.ts";
import { whyLines } from "../../terminal/why-text.ts";
import { fileText } from "../audit/audit.ts";
import type { CommandContext } from "../command-context.ts";
import { refusedLog } from "./policy-log.ts";

export interface PolicyWhyOptions {
  readonly journal?: string;
  /** File with the public key that must have signed the log. */
  readonly key?: string;
}

export async function policyWhy(context: CommandContext, ref: string, options: PolicyWhyOptions): Promise<number> {
  const { key, ...choice } = options;
  const read = await readDecision(context, ref, { ...choice, ...(key === undefined ? {} : { key: fileText(key) }) });
  if ("refused" in read) return refusedLog(context, read.refused);
  const why = await explainDecision(context, read.value);
  const { output } = context;
  if (output.json) output.value(why);
  else for (const line of whyLines(why, output)) output.prose(line);
  return EXIT.ok;
}
