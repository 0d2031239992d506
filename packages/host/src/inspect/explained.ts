/** Explains a decision of the policy for the page: the rules, and the conditions of the permit that came nearest. */

import type { Explained } from "@femtoclaw/inspector";
import type { RecordedDecision } from "@femtoclaw/protocol";
import type { CommandContext } from "../commands/command-context.ts";
import { explainDecision } from "../policy/why.ts";

export async function explained(context: CommandContext, decision: RecordedDecision): Promise<Explained> {
  const { rules, questions } = await explainDecision(context, decision);
  return {
    rules: rules.map(({ id, source, reason, fix }) => ({ id, source, reason, fix })),
    questions: questions.map(({ explanation: { nearest, forbidding, permits } }) => ({
      nearest,
      forbidding,
      permits,
    })),
  };
}
