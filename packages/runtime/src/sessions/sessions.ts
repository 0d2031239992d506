/** The open sessions. The identity of a proposer is assigned here; the name that it gives itself proves nothing. */
import { Buffer } from "node:buffer";
import type { Clock, Journal, JournalEntry } from "@femtoclaw/journal/live";
import { DecisionShare } from "@femtoclaw/policy/live";
import {
  EVERYBODY,
  type ExecutionId,
  FemtoError,
  type Halt,
  LIMITS,
  type ProtocolMessage,
  printable,
  type RecordActor,
  type Reply,
  requireText,
  type SessionId,
} from "@femtoclaw/protocol";
import { Door, newcomersShare } from "../gate/admission/door.ts";
import { refusalShare, SessionQuota } from "../gate/admission/session-quota.ts";
import type { Gate } from "../gate/gate.ts";
import type { OpenGate } from "../gate/open-gate.ts";
import type { SessionHistories } from "../projection/session-histories.ts";
import { recordedLabel } from "./recorded-label.ts";
import {
  type ReadingTurns,
  requireSessionOptions,
  requireTurns,
  type Session,
  type SessionOptions,
  takenOptions,
} from "./session.ts";
import { type HaltRequest, haltSession, takenHalt } from "./session-halts.ts";
import { SessionRecords } from "./session-records.ts";

const AT_ONCE: ReadingTurns = { hasRoom: true, next: (read) => read() };

/** Throws a `TypeError` for what JSON cannot express. */
function textOf(message: ProtocolMessage): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(message);
  } catch (cause) {
    // It holds a bigint or itself, or it throws when it is read.
    throw new TypeError(NO_MESSAGE, { cause });
  }
  if (text === undefined) throw new TypeError(NO_MESSAGE);
  return text;
}

const NO_MESSAGE = "a message is its bytes, or an object that JSON can express";

/**
 * The actor of a session. Anyone but the operator acts for the principal by a delegation that begins with the session.
 */
function actorOf(id: SessionId, { channel, label, principal = EVERYBODY }: SessionOptions): RecordActor {
  return {
    principal,
    // Secrets are taken out here, because `seal` looks for them only in the body of a record.
    agent: label === undefined ? null : recordedLabel(label),
    channel,
    delegation: channel === "operator" ? null : { uid: id, parent: null, issuer: "runtime" },
  };
}

interface SessionsParts {
  newId(): string;
  /** Principals that have tables of their own. */
  readonly agents: readonly string[];
  /** What is known of sessions, according to all records that have a number, durable or not. */
  histories(): SessionHistories;
  record(entry: JournalEntry): void;
  readonly clock: Clock;
  /** Called when a session is over. */
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

/** What a session has access to: the gate, and what goes on beside its calls. */
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
  /** By principal and channel. There are few of these, and clients cannot make new ones. */
  readonly #doors = new Map<string, Door>();
  #isClosed = false;

  constructor(parts: SessionsParts) {
    this.#parts = parts;
    this.#share = refusalShare(parts.clock.monotonicUs());
  }

  open(options: SessionOptions, open: SessionGate): Session {
    requireSessionOptions(options);
    const { clock } = this.#parts;
    const { principal = EVERYBODY } = options;
    // INVARIANT: I8: an agent without tables is refused. It would have the rights of everybody, although its name
    // promises fewer.
    if (principal !== EVERYBODY && !this.#parts.agents.includes(principal)) {
      throw new TypeError(`the configuration has no [agent.${printable(principal, LIMITS.labelChars)}]`);
    }
    if (this.#isClosed) throw new FemtoError("FEMTO_DRAINING", "the runtime is closed, and opens no more sessions");
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
    // Frozen, because the end of the runtime closes it.
    const session = Object.freeze(this.#sessionOf({ id, actor, quota, door, records, introduce, close }, open));
    this.#open.set(id, { session, quota, actor, introduce });
    return session;
  }

  #sessionOf(proposer: Proposer, { gate, outputs, relay }: SessionGate): Session {
    const { id, actor, quota, door, records, introduce, close } = proposer;
    // Cached decisions belong to one session and end with it. No other session is answered from them.
    const share = new DecisionShare();
    return {
      id,
      propose: async (message, asked = {}) => {
        if (!this.#open.has(id)) throw new TypeError("the session is closed");
        const { label, trace, signal, launch, wishes, onIdentified } = takenOptions(asked);
        // INVARIANT: I8: the bytes are copied, so that what runs is what was proposed, even if the proposer reads the
        // next message into the same memory. An object is turned into bytes, so that there is one parser and one gate.
        const bytes = Buffer.from(message instanceof Uint8Array ? message : textOf(message));
        records.executions += 1;
        // INVARIANT: I8: the runtime says who proposes. Of what a client says about itself, only the label and the
        // trace are used.
        const proposal = { session: id, actor, bytes, quota, share, door, introduce, label, trace };
        return await gate.propose({ ...proposal, signal, launch, wishes, onIdentified });
      },
      wait: async (execution, turns = AT_ONCE) => {
        requireText("execution", execution);
        requireTurns(turns);
        const proposer = gate.unended(execution)?.session;
        const reply = await gate.wait(execution as ExecutionId, turns.left);
        // A reply without a record is in no journal. Any other reply is there by now.
        const isRecorded = reply?.record !== null;
        // INVARIANT: I8: no record says whose such a reply is, so it is told only while its session can tell.
        if (!isRecorded && (proposer === id || this.#isOf(actor, proposer))) return reply;
        const kept = turns.hasRoom && isRecorded ? reply : null;
        return await turns.next(async () => {
          // INVARIANT: I8: `ended` throws for an execution of another principal, so it is called even if the reply is
          // already here.
          const ended = await this.#ended(execution as ExecutionId, actor.principal);
          return kept ?? ended;
        });
      },
      outputs: outputs.reader(id),
      changes: async (request) => {
        if (!this.#open.has(id)) throw new TypeError("the session is closed");
        return await relay.changes.watch(id, request);
      },
      answer: (question, answers) => relay.relays.answer(id, question, answers),
      unsubscribe: (server, uri) => {
        requireText("server", server);
        requireText("uri", uri);
        return relay.subscriptions.close(id, server, uri);
      },
      cancel: (execution) => {
        requireText("execution", execution);
        return gate.cancel(id, execution as ExecutionId);
      },
      close,
      [Symbol.asyncDispose]: async () => close(),
    };
  }

  /** Whoever waits while the host stops is told to wait again after the next start, and not that the journal is closed. */
  async #ended(execution: ExecutionId, principal: string): Promise<Reply> {
    try {
      return await this.#parts.ended(execution, principal);
    } catch (error) {
      const isStopping = this.#isClosed && error instanceof FemtoError && error.code === "FEMTO_JOURNAL_CLOSED";
      if (!isStopping) throw error;
      const fix = "Do not propose the call again. Wait for its reply after the next start.";
      throw new FemtoError("FEMTO_DRAINING", "the host stops; the reply can be waited for after the next start", {
        fix,
      });
    }
  }

  isOpen(id: SessionId): boolean {
    return this.#open.has(id);
  }

  /** Whether the session is still there and proposes for the same principal. */
  #isOf({ principal }: RecordActor, session: SessionId | undefined): boolean {
    return session !== undefined && this.#open.get(session)?.actor.principal === principal;
  }

  /**
   * How much a session may still add to the journal. A session that is over may have left calls behind, which go on
   * with a fresh quota.
   */
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

  /** The open sessions with their actors, oldest first. */
  get live(): readonly { readonly id: SessionId; readonly actor: RecordActor }[] {
    return [...this.#open].map(([id, { actor }]) => ({ id, actor }));
  }

  /** Halts a session. An open session without a record gets its first record here. */
  async halt(request: HaltRequest, gate: Gate, journal: Pick<Journal, "append">): Promise<Halt> {
    const taken = takenHalt(request);
    this.#open.get(taken.session as SessionId)?.introduce();
    return await haltSession({ gate, journal, histories: this.#parts.histories() }, taken);
  }

  /** Closes all sessions, and lets none begin. */
  closeAll(): void {
    this.#isClosed = true;
    for (const { session } of this.#open.values()) session.close();
  }
}
