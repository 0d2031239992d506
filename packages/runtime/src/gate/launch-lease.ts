/**
 * The lease of an agent that was launched: it goes on while its launch would still be permitted and nothing has halted
 * its session. Its calls end with the policy that decided them; an agent runs for hours, so it is looked at again.
 */
import assert from "node:assert/strict";
import { LIMITS } from "@femtoclaw/protocol";
import type { Execution } from "./execution.ts";
import type { GateParts } from "./gate-parts.ts";
import { haltOf } from "./session-standing.ts";
import { isSameView } from "./standing-view.ts";

export interface LeaseParts extends Pick<GateParts, "clock" | "histories" | "registered" | "standing"> {
  /** Why what was permitted would not be any more. */
  forbidden(execution: Execution): string | null;
  stop(execution: Execution, reason: string): void;
}

/** Looks at what was launched until it is disposed of. */
export function holdLease(execution: Execution, parts: LeaseParts): Disposable {
  let cancel: (() => void) | null = null;
  const look = (): void => {
    const reason = endingOf(execution, parts);
    if (reason === null) lookLater();
    else parts.stop(execution, reason);
  };
  const lookLater = (): void => {
    cancel = parts.clock.after(LIMITS.terminalReviewMs, look);
  };
  lookLater();
  return { [Symbol.dispose]: () => cancel?.() };
}

/** INVARIANT: I3: any doubt ends the lease, and no decision of earlier prolongs it. */
function endingOf(execution: Execution, parts: LeaseParts): string | null {
  const { intent, session, call, standing, actor } = execution;
  if (intent === null) return null;
  assert(call !== null, "an effect belongs to a call");
  const halted = haltOf(parts.histories, session);
  if (halted !== null) return halted.reason;
  if (parts.registered(call.tool)?.enabled !== true) return "its capability was disabled";
  const forbidden = parts.forbidden(execution);
  if (forbidden !== null) return forbidden;
  const isSame = isSameView(standing, parts.standing(actor.principal));
  return isSame ? null : "what its programs may see is not what they see";
}
