/** `policy diff`: what another configuration would have decided about the calls of a log. */
import { EXIT, FemtoError } from "@femtoclaw/protocol";
import {
  AS_RECORDED,
  type Judge,
  type PolicyDifference,
  policyDifference,
  RecordedJudge,
} from "@femtoclaw/runtime/redecide";
import { withLog } from "../../policy/decision-source.ts";
import { judgeOf } from "../../policy/present-policy.ts";
import { compiledPolicyOf } from "../../process/preflight.ts";
import { differenceValue, policyDifferenceLines } from "../../terminal/policy-difference-text.ts";
import { fileText } from "../audit/audit.ts";
import type { CommandContext } from "../command-context.ts";
import { refusedLog } from "./policy-log.ts";

export interface PolicyDiffOptions {
  /** A folder, or true for the journal of this configuration. */
  readonly againstJournal: string | true;
  readonly key?: string;
  /** Decide each call by the policy of its own record, to see whether the records hold. */
  readonly recorded?: boolean;
  readonly since?: number;
}

export async function policyDiff(context: CommandContext, options: PolicyDiffOptions): Promise<number> {
  const { againstJournal, recorded = false, since } = options;
  if (recorded && since !== undefined) {
    throw new FemtoError(
      "FEMTO_USAGE",
      "--recorded needs the records of the policies, so it must start at the first record",
    );
  }
  const journal = againstJournal === true ? {} : { journal: againstJournal };
  const key = options.key === undefined ? {} : { key: fileText(options.key) };
  const after: Judge = recorded
    ? await RecordedJudge.open(await currentSchema(context))
    : await judgeOf(context.load());
  const read = await withLog(context, { ...journal, ...key }, (log) =>
    policyDifference(log, { before: AS_RECORDED, after, exact: recorded, ...(since === undefined ? {} : { since }) }),
  );
  if ("refused" in read) return refusedLog(context, read.refused);
  return tell(context, read.value, recorded);
}

/**
 * Old records do not contain their schema, so the current one is used for them. Without a usable configuration they
 * have to do without: the text is empty.
 */
export async function currentSchema(context: CommandContext): Promise<string> {
  try {
    return (await compiledPolicyOf(context.load())).schemaText;
  } catch (error) {
    if (error instanceof FemtoError) return "";
    throw error;
  }
}

function tell({ output }: CommandContext, difference: PolicyDifference, recorded: boolean): number {
  if (output.json) output.value(differenceValue(difference));
  else
    for (const line of policyDifferenceLines(difference, recorded ? "recorded" : "present", output)) output.prose(line);
  if (difference.changed > 0) return EXIT.no;
  // Calls that cannot be decided again count neither as changed nor as unchanged.
  return difference.undecidable.length === 0 ? EXIT.ok : EXIT.incomplete;
}
