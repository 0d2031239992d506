/** `policy shadow`: where the rules on trial and those in force differed about the calls of a log. */
import { EXIT } from "@femtoclaw/protocol";
import {
  AS_RECORDED,
  newestTrial,
  ON_TRIAL,
  type PolicyDifference,
  policyDifference,
  RecordedTrialJudge,
} from "@femtoclaw/runtime/redecide";
import { type DecisionReader, withLog } from "../../policy/decision-source.ts";
import { differenceValue, policyDifferenceLines } from "../../terminal/policy-difference-text.ts";
import { fileText } from "../audit/audit.ts";
import type { CommandContext } from "../command-context.ts";
import { currentSchema } from "./policy-diff.ts";
import { refusedLog } from "./policy-log.ts";

export interface PolicyShadowOptions {
  readonly journal?: string;
  readonly key?: string;
  readonly since?: number;
  /** Beginning of the revision of the rules on trial. By default, the newest one is meant. */
  readonly revision?: string;
  /** Decide each call by the recorded rules again, to see whether the records hold. */
  readonly recorded?: boolean;
}

interface Trial {
  /** Null if no rules were ever on trial. */
  readonly revision: string | null;
  readonly difference: PolicyDifference;
  /** Number of calls whose recorded verdict is of other rules on trial. */
  readonly others: number;
}

export async function policyShadow(context: CommandContext, options: PolicyShadowOptions): Promise<number> {
  const { journal, key, recorded = false } = options;
  const choice = {
    ...(journal === undefined ? {} : { journal }),
    ...(key === undefined ? {} : { key: fileText(key) }),
  };
  const schema = recorded ? await currentSchema(context) : "";
  const read = await withLog(context, choice, (log) => trialOf(log, options, schema));
  if ("refused" in read) return refusedLog(context, read.refused);
  return tell(context, read.value, recorded);
}

async function trialOf(
  log: DecisionReader,
  { since = 0, revision: wanted, recorded = false }: PolicyShadowOptions,
  schema: string,
): Promise<Trial> {
  const revision = wanted ?? (await newestTrial(log))?.shadow ?? null;
  let others = 0;
  const difference = await policyDifference(log, {
    before: recorded ? ON_TRIAL : AS_RECORDED,
    after: recorded ? await RecordedTrialJudge.open(schema) : ON_TRIAL,
    exact: recorded,
    among: ({ seq, shadow }) => {
      if (shadow === null || seq < since) return false;
      const isOne = revision !== null && shadow.revision.startsWith(revision);
      if (!isOne) others += 1;
      return isOne;
    },
  });
  return { revision, difference, others };
}

function tell({ output }: CommandContext, { revision, difference, others }: Trial, recorded: boolean): number {
  if (output.json) output.value({ revision, others, ...(differenceValue(difference) as object) });
  else if (revision === null) output.prose("no rules were on trial: [shadow] is empty, or no host has loaded it");
  else {
    output.line(`on trial: revision ${revision.slice(0, 12)}`);
    const isAsked = difference.calls > 0 || difference.undecidable.length > 0;
    if (!isAsked) output.prose("no call was decided while these rules were on trial");
    else
      for (const line of policyDifferenceLines(difference, recorded ? "recorded" : "trial", output)) output.prose(line);
    if (others > 0)
      output.prose(`${others} calls were decided while other rules were on trial; --revision selects those`);
  }
  if (difference.changed > 0) return EXIT.no;
  return difference.undecidable.length === 0 ? EXIT.ok : EXIT.incomplete;
}
