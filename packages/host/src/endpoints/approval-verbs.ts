/** How operators see and answer questions. Only the operator's socket has these verbs. */
import type { Answered } from "@femtoclaw/protocol";
import type { Runtime } from "@femtoclaw/runtime";
import { invalid, isCount, refuseUnknown, waitedMs } from "./request-fields.ts";
import type { OperatorVerbs } from "./verb-handlers.ts";

type Fields = Readonly<Record<string, unknown>>;

/** `left` is aborted when the client of the connection asks nothing any more. */
export function approvalVerbs(
  runtime: Runtime,
  { operatorName, left }: { readonly operatorName: () => string; readonly left: AbortSignal },
): OperatorVerbs<"approvals"> {
  return {
    "approvals.list": ({ from = 0, ...rest }) => {
      refuseUnknown(rest);
      if (!isCount(from)) throw invalid("`from` must be the number of a record");
      return runtime.approvals.list(from);
    },
    "approvals.show": ({ approval, ...rest }) => {
      refuseUnknown(rest);
      if (typeof approval !== "string") throw invalid("`approval` must be a string");
      return runtime.approvals.show(approval);
    },
    "approvals.watch": ({ from, wait_ms, ...rest }) => {
      refuseUnknown(rest);
      if (!isCount(from)) throw invalid("`from` must be a number that was told as `next`, or 0");
      return runtime.approvals.watch(from, { waitMs: waitedMs(wait_ms), left });
    },
    "approvals.answer": (fields) =>
      "signed" in fields ? signedAnswer(runtime, fields) : plainAnswer(runtime, fields, operatorName),
  };
}

function plainAnswer(
  runtime: Runtime,
  { approval, digest, answer, scope, reason, ...rest }: Fields,
  operatorName: () => string,
): Promise<Answered> {
  refuseUnknown(rest);
  if (typeof approval !== "string") throw invalid("`approval` must be a string");
  // INVARIANT: I8: an answer names the digest of what was seen. Without it, it would count for whatever is asked by
  // now.
  if (typeof digest !== "string") throw invalid("`digest` must be a string");
  if (answer !== "granted" && answer !== "refused") throw invalid('`answer` must be "granted" or "refused"');
  if (scope !== "once" && scope !== "session") throw invalid('`scope` must be "once" or "session"');
  if (reason !== undefined && typeof reason !== "string") throw invalid("`reason` must be a string");
  const said = reason === undefined ? {} : { reason };
  return runtime.approvals.answer({ id: approval, digest, answer, scope, by: operatorName(), ...said });
}

/** The signed text says everything; a field beside it could only contradict it. */
function signedAnswer(runtime: Runtime, { signed, ...rest }: Fields): Promise<Answered> {
  refuseUnknown(rest);
  if (typeof signed !== "string") throw invalid("`signed` must be a string");
  return runtime.approvals.answerSigned(signed);
}
