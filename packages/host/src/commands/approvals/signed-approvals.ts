/** `approvals sign` and `approvals answer`: an answer that is given on one machine and counts on another. */
import { resolve } from "node:path";
import { EXIT, FemtoError } from "@femtoclaw/protocol";
import { writeNew } from "../../new-file.ts";
import { readAnswer, readCard, requireWholeCard, signCard } from "../../operators/sign-card.ts";
import { cardLines } from "../../terminal/approval-text.ts";
import type { CommandContext } from "../command-context.ts";
import { told } from "./approvals.ts";

export interface SignOptions {
  readonly key: string;
  readonly out: string;
  readonly allow?: boolean;
  readonly deny?: boolean;
  readonly session?: boolean;
  readonly reason?: string;
}

/**
 * Signs an answer to what a card shows. This needs only the card and the key, so it works on any machine, without a
 * host.
 */
export async function signApproval(context: CommandContext, card: string, options: SignOptions): Promise<number> {
  const { output, cwd } = context;
  const { allow = false, deny = false, session = false, reason } = options;
  if (allow === deny) throw new FemtoError("FEMTO_USAGE", "say either --allow or --deny");
  const approval = readCard(resolve(cwd, card));
  requireWholeCard(approval);
  for (const line of cardLines(approval, output)) output.talk(line);
  const note = await signCard(approval, {
    ...{ answer: allow ? "granted" : "refused", scope: session ? "session" : "once", key: resolve(cwd, options.key) },
    ...(reason === undefined ? {} : { reason }),
  });
  const file = resolve(cwd, options.out);
  await writeNew(file, note);
  if (output.json) output.value({ id: approval.id, log: approval.log, answer: allow ? "granted" : "refused", file });
  else output.line(`wrote ${file}; where the host runs: femtoclaw approvals answer ${options.out}`);
  return EXIT.ok;
}

/** Gives the host an answer that was signed elsewhere. */
export async function bringAnswer(context: CommandContext, answer: string): Promise<number> {
  const note = readAnswer(resolve(context.cwd, answer));
  await using operator = await context.operator();
  return told(context, await operator.answerSigned(note));
}
