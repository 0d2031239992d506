/**
 * The lease of a terminal: it lasts while its opening would still be permitted, its session is there and no limit is
 * reached.
 */
import type { Clock } from "@femtoclaw/journal";
import { errorText, type SessionId, type TerminalClosedBody } from "@femtoclaw/protocol";
import type { TerminalSettings } from "../configuration/resolved-configuration.ts";
import { isSameView } from "../gate/effects/standing-view.ts";
import type { Execution } from "../gate/execution.ts";
import type { Standing } from "../gate/gate-parts.ts";
import type { Problem } from "../gate/verdict.ts";

export interface LeaseParts {
  readonly clock: Clock;
  readonly settings: TerminalSettings;
  isOpen(session: SessionId): boolean;
  /** Why the session may begin nothing more; null while it may. */
  halted(session: SessionId): Problem | null;
  /** Why the opening would not be permitted now; null if it would be. */
  forbidden(opening: Execution): string | null;
  isEnabled(tool: string): boolean;
  standing(principal: string): Standing;
}

/** The call that opened a terminal, and when it was opened and last used, by the clock of the boot. */
export interface Lease {
  readonly opening: Execution;
  readonly openedUs: number;
  readonly usedUs: number;
}

/** Why a terminal ends. */
export interface Ending {
  readonly why: TerminalClosedBody["why"];
  readonly reason: string;
}

/** INVARIANT: I3: any doubt ends a terminal, and no earlier decision keeps it. */
export function endOfLease({ opening, openedUs, usedUs }: Lease, parts: LeaseParts): Ending | null {
  const { session, actor, standing, call } = opening;
  if (!parts.isOpen(session)) return { why: "session", reason: "its session ended" };
  const halted = parts.halted(session);
  if (halted !== null) return { why: "halted", reason: halted.reason };
  if (!parts.isEnabled(call?.tool ?? "")) return { why: "policy", reason: "its capability was disabled" };
  const forbidden = parts.forbidden(opening);
  if (forbidden !== null) return { why: "policy", reason: forbidden };
  if (!isSameView(standing, parts.standing(actor.principal))) {
    return { why: "policy", reason: "what its programs may see is not what they see" };
  }
  const { idleMs, totalMs } = parts.settings;
  const nowUs = parts.clock.monotonicUs();
  if (nowUs - openedUs >= totalMs * 1_000) return { why: "expired", reason: `it was open for ${totalMs} ms` };
  if (nowUs - usedUs >= idleMs * 1_000) return { why: "idle", reason: `nobody used it for ${idleMs} ms` };
  return null;
}

/** Set if an operator, a halt or a mark stopped the call while its program was starting. */
export function stoppedBy({ abort: { signal }, stopReason }: Execution): Ending | null {
  if (!signal.aborted) return null;
  return { why: "policy", reason: stopReason ?? errorText(signal.reason) };
}
