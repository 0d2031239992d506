/**
 * The lease of a launched agent. It lasts while the launch would still be permitted and nothing has halted the session.
 * An ordinary call keeps the policy that decided it to its end; an agent runs for hours, so its permission is checked
 * again and again.
 */
import assert from "node:assert/strict";
import { LIMITS } from "@femtoclaw/protocol";
import { haltOf } from "../admission/session-halt.ts";
import type { Execution } from "../execution.ts";
import type { GateParts } from "../gate-parts.ts";
import { isSameView } from "./standing-view.ts";

export interface LeaseParts extends Pick<GateParts, "clock" | "histories" | "registered" | "standing"> {
  /** Why a permitted call would no longer be permitted; null if it still would be. */
  forbidden(execution: Execution): string | null;
  stop(execution: Execution, reason: string): void;
}

/** Checks the launched agent at intervals until disposed of. */
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

/** INVARIANT: I3: any doubt ends the lease, and no earlier decision prolongs it. */
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
