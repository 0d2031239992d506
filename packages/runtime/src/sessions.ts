/** The open sessions. The identity of a proposer is minted here; what it calls itself proves nothing. */
import { Buffer } from "node:buffer";
import { type Clock, type Journal, type JournalEntry, redact } from "@femtoclaw/journal/live";
import { DecisionShare } from "@femtoclaw/policy/live";
import {
  type ExecutionId,
  FemtoError,
  LIMITS,
  printable,
  type RecordActor,
  type Reply,
  type SessionId,
} from "@femtoclaw/protocol";
import { Door, newcomersShare } from "./gate/door.ts";
import type { Gate } from "./gate/gate.ts";
import type { OpenGate } from "./gate/open-gate.ts";
import { refusalShare, SessionQuota } from "./gate/session-quota.ts";
import type { SessionHistories } from "./projection/session-histories.ts";
import {
  type ReadingTurns,
  requireProposeOptions,
  requireSessionOptions,
  type Session,
  type SessionOptions,
} from "./session.ts";
import { type Halt, type HaltRequest, haltSession } from "./session-halts.ts";
import { SessionRecords } from "./session-records.ts";

const AT_ONCE: ReadingTurns = { hasRoom: true, next: (read) => read() };

/** Who has no tables of his own. */
const EVERYBODY = "default";

/** Who is not the operator acts for the principal by a grant that is as old as the session. */
function actorOf(id: SessionId, { channel, label, principal = EVERYBODY }: SessionOptions): RecordActor {
  return {
    principal,
    // Secrets are taken out here, because `seal` looks for them in the body of a record alone.
    agent: label === undefined ? null : printable(redact(label).value, LIMITS.labelChars),
    channel,
    delegation: channel === "operator" ? null : { uid: id, parent: null, issuer: "runtime" },
  };
}

export interface SessionsParts {
  newId(): string;
  /** Principals that have tables of their own. */
  readonly agents: readonly string[];
  /** What is known of sessions as far as records have numbers. */
  histories(): SessionHistories;
  record(entry: JournalEntry): void;
  readonly clock: Clock;
  /** Hears of a session that is over. */
  closed(session: SessionId): void;
  /** The reply of an execution that has ended. */
  ended(execution: ExecutionId, principal: string): Promise<Reply>;
}

interface OpenSession {
  readonly session: Session;
  readonly actor: RecordActor;
  readonly quota: SessionQuota;
  introduce(): boolean;
}

/** What a session reaches: the gate, and what goes on beside its calls. */
type SessionGate = Pick<OpenGate, "gate" | "outputs" | "relay">;

/** What is made for a session when it is opened. */
interface Proposer extends Omit<OpenSession, "session"> {
  readonly id: SessionId;
  readonly door: Door;
  readonly records: SessionRecords;
  close(): void;
}

/** The open sessions of a runtime. */
export class Sessions {
  readonly #open = new Map<SessionId, OpenSession>();
  readonly #parts: SessionsParts;
  readonly #share;
  /** By principal and channel, of which there are few: none is of a client's making. */
  readonly #doors = new Map<string, Door>();

  constructor(parts: SessionsParts) {
    this.#parts = parts;
    this.#share = refusalShare(parts.clock.monotonicUs());
  }

  open(options: SessionOptions, open: SessionGate): Session {
    requireSessionOptions(options);
    const { clock } = this.#parts;
    const { principal = EVERYBODY } = options;
    // INVARIANT: I8: an agent without tables is refused: it would have the rights of everybody, where its name promises fewer.
    if (principal !== EVERYBODY && !this.#parts.agents.includes(principal)) {
      throw new TypeError(`the configuration has no [agent.${printable(principal, LIMITS.labelChars)}]`);
    }
    if (this.#open.size >= LIMITS.openSessions) {
      throw new FemtoError("FEMTO_OVERLOADED", `${this.#open.size} sessions are open already`);
    }
    const id = this.#parts.newId() as SessionId;
    const actor = actorOf(id, options);
    const door = this.#doorOf(actor);
    const quota = new SessionQuota(this.#share, clock.monotonicUs(), door.newcomers);
    const records = new SessionRecords({
      id,
      actor,
      record: (entry) => this.#parts.record(entry),
      isOpen: () => this.#open.has(id),
      isKnown: () => this.#parts.histories().of(id) !== undefined,
    });
    const introduce = (): boolean => records.begin();
    const close = (): void => {
      if (!this.#open.delete(id)) return;
      door.turns.release(id);
      open.gate.questions.forget(id);
      this.#parts.closed(id);
      records.end();
    };
    const session = this.#sessionOf({ id, actor, quota, door, records, introduce, close }, open);
    this.#open.set(id, { session, quota, actor, introduce });
    return session;
  }

  #sessionOf(proposer: Proposer, { gate, outputs, relay }: SessionGate): Session {
    const { id, actor, quota, door, records, introduce, close } = proposer;
    // Remembered decisions belong to one session and end with it; no other session is answered from them.
    const share = new DecisionShare();
    return {
      id,
      propose: async (message, asked = {}) => {
        if (!this.#open.has(id)) throw new TypeError("the session is closed");
        requireProposeOptions(asked);
        const { label, trace, signal, launch, wishes, onIdentified } = asked;
        records.executions += 1;
        // INVARIANT: I8: the bytes are copied, so that what runs is what was proposed, also where its proposer reads the
        // next message into the same memory. An object becomes bytes, so that there is one parser and one gate.
        const bytes = Buffer.from(message instanceof Uint8Array ? message : JSON.stringify(message));
        // INVARIANT: I8: who proposes is said here; of what a client says about itself only the label and the trace count.
        const proposal = { session: id, actor, bytes, quota, share, door, introduce, label, trace };
        return await gate.propose({ ...proposal, signal, launch, wishes, onIdentified });
      },
      wait: async (execution, turns = AT_ONCE) => {
        const reply = await gate.wait(execution as ExecutionId);
        // A reply without a record is in no journal; any other is there by now.
        if (reply?.record === null) return reply;
        const kept = turns.hasRoom ? reply : null;
        return await turns.next(async () => {
          // INVARIANT: I8: `ended` throws for an execution of another principal, so it is asked also where the reply is here.
          const ended = await this.#parts.ended(execution as ExecutionId, actor.principal);
          return kept ?? ended;
        });
      },
      outputs: outputs.reader(id),
      changes: async (request) => {
        if (!this.#open.has(id)) throw new TypeError("the session is closed");
        return await relay.changes.watch(id, request);
      },
      answer: (question, answers) => relay.relays.answer(id, question, answers),
      unsubscribe: (server, uri) => relay.subscriptions.close(id, server, uri),
      cancel: (execution) => gate.cancel(id, execution as ExecutionId),
      close,
      [Symbol.asyncDispose]: async () => close(),
    };
  }

  isOpen(id: SessionId): boolean {
    return this.#open.has(id);
  }

  /** What a session may still add to the journal; one that is over has left calls behind that go on without it. */
  quotaOf(id: SessionId): SessionQuota {
    const nowUs = this.#parts.clock.monotonicUs();
    return this.#open.get(id)?.quota ?? new SessionQuota(this.#share, nowUs, newcomersShare(nowUs));
  }

  #doorOf({ principal, channel }: RecordActor): Door {
    const key = `${channel} ${principal}`;
    const door = this.#doors.get(key) ?? new Door(this.#parts.clock);
    this.#doors.set(key, door);
    return door;
  }

  /** Those that are open, with who proposes in them; the oldest first. */
  get live(): readonly { readonly id: SessionId; readonly actor: RecordActor }[] {
    return [...this.#open].map(([id, { actor }]) => ({ id, actor }));
  }

  /** Lets nothing of a session begin any more; one that is open and has no record yet gets its first. */
  async halt(request: HaltRequest, gate: Gate, journal: Pick<Journal, "append">): Promise<Halt> {
    this.#open.get(request.session as SessionId)?.introduce();
    return await haltSession({ gate, journal, histories: this.#parts.histories() }, request);
  }

  closeAll(): void {
    for (const { session } of this.#open.values()) session.close();
  }
}
