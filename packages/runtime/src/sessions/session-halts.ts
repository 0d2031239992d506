/** Halting a session by an operator. The halt takes effect when its record has a number, before it is durable. */
import type { Journal } from "@femtoclaw/journal";
import {
  FemtoError,
  type Halt,
  LIMITS,
  printable,
  requireFields,
  requireText,
  type SessionId,
} from "@femtoclaw/protocol";
import type { Gate } from "../gate/gate.ts";
import { operatorActor } from "../operators/operator-actor.ts";
import type { SessionHistories } from "../projection/session-histories.ts";

/** Which session to halt, and why. */
export interface HaltRequest {
  readonly session: string;
  /** In the operator's words; the default is "no reason given". */
  readonly reason?: string;
  /** The operator who halts the session. */
  readonly by: string;
}

interface SessionHaltsParts {
  readonly gate: Pick<Gate, "stopSession">;
  readonly histories: SessionHistories;
  readonly journal: Pick<Journal, "append">;
}

type TakenHalt = Required<HaltRequest>;

/** The request as it is now. Throws FEMTO_SOCKET_REQUEST for one that the types forbid. */
export function takenHalt(request: HaltRequest): TakenHalt {
  requireFields("a halt", request);
  const { session, reason = "", by } = request;
  for (const [name, text] of Object.entries({ session, reason, by })) requireText(name, text);
  return { session, reason, by };
}

/** Throws FEMTO_SESSION_NOT_FOUND for an unknown session. */
export async function haltSession(parts: SessionHaltsParts, { session, reason, by }: TakenHalt): Promise<Halt> {
  const { gate, histories } = parts;
  const known = histories.of(session);
  if (known === undefined) {
    throw new FemtoError("FEMTO_SESSION_NOT_FOUND", `no session \`${printable(session, LIMITS.labelChars)}\` is known`);
  }
  const said = printable(reason.trim(), LIMITS.reasonChars) || "no reason given";
  const stop = (): number => gate.stopSession(session as SessionId, `an operator halted its session: ${said}`);
  if (known.halted !== null) return { seq: known.halted.seq, stopped: stop() };
  const appended = parts.journal.append({
    type: "session.halted",
    actor: operatorActor(by),
    session,
    execution: null,
    body: { recorded: known.refusals, code: "FEMTO_SESSION_HALTED", reason: `an operator halted it: ${said}` },
  });
  // INVARIANT: I3: from here on no call of the session gets an intent, and calls that have one are stopped.
  const stopped = stop();
  return { seq: (await appended).seq, stopped };
}
