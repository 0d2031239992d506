/** One proposer's connection to the gate. Its identity is minted by the runtime; a label proves nothing. */
import { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import type { JournalEntry } from "@femtoclaw/journal";
import {
  type ExecutionId,
  LIMITS,
  type ProtocolMessage,
  printable,
  type Reply,
  type SessionId,
} from "@femtoclaw/protocol";
import type { Clock } from "./clock.ts";
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

/** LIMIT: pause between two answers to a halted session, so that a flood of its calls is answered a hundred times a second. */
const HALTED_PAUSE_MS = 10;

/** The open sessions of a runtime. */
export class Sessions {
  readonly #open = new Set<Session>();
  readonly #record: (entry: JournalEntry) => void;
  readonly #clock: Clock;
  readonly #share;

  constructor(record: (entry: JournalEntry) => void, clock: Clock) {
    this.#record = record;
    this.#clock = clock;
    this.#share = refusalShare(clock.monotonicUs());
  }

  open({ channel, label }: SessionOptions, gate: Gate): Session {
    const id = randomUUID() as string as SessionId;
    const quota = new SessionQuota(this.#share, this.#clock.monotonicUs());
    const turns = new PacedTurns(HALTED_PAUSE_MS);
    let executions = 0;
    let isIntroduced = false;
    // INVARIANT: I9: who connects and leaves again, and again, without a call that is recorded, leaves no trace.
    const introduce = (): void => {
      if (isIntroduced) return;
      isIntroduced = true;
      const body = { channel, label: label === undefined ? null : printable(label, LIMITS.labelChars) };
      this.#record({ type: "session.opened", session: id, execution: null, body });
    };
    const close = (): void => {
      if (!this.#open.delete(session) || !isIntroduced) return;
      this.#record({ type: "session.closed", session: id, execution: null, body: { executions } });
    };
    const session: Session = {
      id,
      propose: async (message, { label } = {}) => {
        if (!this.#open.has(session)) throw new TypeError("the session is closed");
        executions += 1;
        // An object takes the same way as bytes from a socket, so that there is one parser and one gate.
        const bytes = message instanceof Uint8Array ? message : Buffer.from(JSON.stringify(message));
        // INVARIANT: I8: who proposes is said here; of what a client says about itself only the label is taken.
        const named = label === undefined ? {} : { label };
        return await gate.propose({ session: id, principal: "default", bytes, quota, turns, introduce, ...named });
      },
      cancel: (execution) => gate.cancel(id, execution as ExecutionId),
      close,
      [Symbol.asyncDispose]: async () => close(),
    };
    this.#open.add(session);
    return session;
  }

  closeAll(): void {
    for (const session of this.#open) session.close();
  }
}
