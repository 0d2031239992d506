/** One proposer's connection to the gate. Its identity is minted by the runtime; a label proves nothing. */
import { Buffer } from "node:buffer";
import { type Clock, type JournalEntry, redact } from "@femtoclaw/journal";
import { DecisionShare } from "@femtoclaw/policy";
import {
  type ExecutionId,
  LIMITS,
  type ProtocolMessage,
  printable,
  type RecordActor,
  type Reply,
  type SessionId,
} from "@femtoclaw/protocol";
import type { Gate } from "./gate/gate.ts";
import { PacedTurns } from "./gate/paced-turns.ts";
import { refusalShare, SessionQuota } from "./gate/session-quota.ts";

export interface ProposeOptions {
  /** A name for this call, recorded as given. */
  readonly label?: string;
}

export interface Session extends AsyncDisposable {
  readonly id: SessionId;
  /**
   * Proposes one protocol message: bytes as they arrived, or a message object. Resolves with the reply
   * once the outcome is durable. Denials, failures and protocol errors are replies, not exceptions.
   */
  propose(message: Uint8Array | ProtocolMessage, options?: ProposeOptions): Promise<Reply>;
  /**
   * The reply that an execution ends with, once it does: for one that waited for an operator, also when another
   * session proposed it, before a restart. Throws FEMTO_EXECUTION_NOT_FOUND for one that the journal does not know,
   * FEMTO_DRAINING when the host stops before it ends.
   */
  wait(execution: string): Promise<Reply>;
  /** Asks an execution of this session to end; false when it is unknown here or has ended. */
  cancel(execution: string): boolean;
  /** Executions proposed so far go on; further ones are refused. */
  close(): void;
}

export interface SessionOptions {
  /** Through which door the proposer came. */
  readonly channel: "library" | "agent" | "operator";
  /** What the proposer calls itself. */
  readonly label?: string;
}

/** There is one principal; who is not the operator acts for it by a grant that is as old as the session. */
function actorOf(id: SessionId, channel: SessionOptions["channel"], label: string | undefined): RecordActor {
  return {
    principal: "default",
    // It stands outside of the body, which is where secrets are looked for.
    agent: label === undefined ? null : printable(redact(label).value, LIMITS.labelChars),
    channel,
    delegation: channel === "operator" ? null : { uid: id, parent: null, issuer: "runtime" },
  };
}

export interface SessionsParts {
  newId(): string;
  record(entry: JournalEntry): void;
  readonly clock: Clock;
  /** The reply of an execution that has ended. */
  ended(execution: ExecutionId): Promise<Reply>;
}

/** LIMIT: pause between two answers to a halted session, so that a flood of its calls is answered a hundred times a second. */
const HALTED_PAUSE_MS = 10;

/** The open sessions of a runtime. */
export class Sessions {
  readonly #open = new Map<SessionId, { readonly session: Session; readonly quota: SessionQuota }>();
  readonly #parts: SessionsParts;
  readonly #share;

  constructor(parts: SessionsParts) {
    this.#parts = parts;
    this.#share = refusalShare(parts.clock.monotonicUs());
  }

  open({ channel, label }: SessionOptions, gate: Gate): Session {
    const { clock } = this.#parts;
    const id = this.#parts.newId() as SessionId;
    const actor = actorOf(id, channel, label);
    const quota = new SessionQuota(this.#share, clock.monotonicUs());
    // It lives as long as the session; nobody else's questions are answered from it.
    const share = new DecisionShare();
    const turns = new PacedTurns(clock, HALTED_PAUSE_MS);
    let executions = 0;
    let isIntroduced = false;
    // INVARIANT: I9: who connects and leaves again, and again, without a call that is recorded, leaves no trace.
    const introduce = (): void => {
      if (isIntroduced) return;
      isIntroduced = true;
      this.#parts.record({ type: "session.opened", actor, session: id, execution: null, body: {} });
    };
    const close = (): void => {
      if (!this.#open.delete(id)) return;
      gate.questions.forget(id);
      if (!isIntroduced) return;
      this.#parts.record({ type: "session.closed", actor, session: id, execution: null, body: { executions } });
    };
    const session: Session = {
      id,
      propose: async (message, { label } = {}) => {
        if (!this.#open.has(id)) throw new TypeError("the session is closed");
        executions += 1;
        // An object takes the same way as bytes from a socket, so that there is one parser and one gate.
        const bytes = message instanceof Uint8Array ? message : Buffer.from(JSON.stringify(message));
        // INVARIANT: I8: who proposes is said here; of what a client says about itself only the label is taken.
        const named = label === undefined ? {} : { label };
        return await gate.propose({ session: id, actor, bytes, quota, share, turns, introduce, ...named });
      },
      wait: async (execution) =>
        await (gate.wait(execution as ExecutionId) ?? this.#parts.ended(execution as ExecutionId)),
      cancel: (execution) => gate.cancel(id, execution as ExecutionId),
      close,
      [Symbol.asyncDispose]: async () => close(),
    };
    this.#open.set(id, { session, quota });
    return session;
  }

  /** What a session may still add to the journal; one that is over has left calls behind that go on without it. */
  quotaOf(id: SessionId): SessionQuota {
    return this.#open.get(id)?.quota ?? new SessionQuota(this.#share, this.#parts.clock.monotonicUs());
  }

  closeAll(): void {
    for (const { session } of this.#open.values()) session.close();
  }
}
