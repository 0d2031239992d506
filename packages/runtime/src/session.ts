/** One proposer's connection to the gate. Its identity is minted by the runtime; a label proves nothing. */
import { Buffer } from "node:buffer";
import type { AgentLaunch } from "@femtoclaw/capabilities";
import { type Clock, type Journal, type JournalEntry, redact } from "@femtoclaw/journal/live";
import { DecisionShare } from "@femtoclaw/policy/live";
import {
  type ExecutionId,
  FemtoError,
  LIMITS,
  type ProtocolMessage,
  printable,
  type RecordActor,
  type Reply,
  type SessionId,
  type TraceFields,
  type WatchedChanges,
} from "@femtoclaw/protocol";
import { Door, newcomersShare } from "./gate/door.ts";
import type { Gate } from "./gate/gate.ts";
import type { OpenGate } from "./gate/open-gate.ts";
import { refusalShare, SessionQuota } from "./gate/session-quota.ts";
import type { OutputReader } from "./outputs/outputs.ts";
import type { SessionHistories } from "./projection/session-histories.ts";
import type { ChangesRequest } from "./relay/changes.ts";
import type { RelayWishes } from "./relay/relays.ts";
import { type Halt, type HaltRequest, haltSession } from "./session-halts.ts";
import { requireProposeOptions, requireSessionOptions } from "./session-options.ts";

/** What goes with one proposal and is not part of its message. All of it may be left out. */
export interface ProposeOptions {
  /** A name for this call, recorded as given. */
  readonly label?: string;
  /** The W3C trace context of its proposer. Its span is a child of that one; what is not of its form is left out. */
  readonly trace?: TraceFields;
  /** Aborted when its proposer wants it no more; the call is then cancelled as by `cancel`. */
  readonly signal?: AbortSignal;
  /** What is wanted of what an MCP server says beside its answer; its progress is told with the output in any case. */
  readonly wishes?: RelayWishes;
  /** Hears the identifier of its execution before anything of it happens, so that its output can be followed. */
  readonly onIdentified?: (execution: ExecutionId) => void;
  /** What an operator launches by this very call; without it no call launches anything. */
  readonly launch?: AgentLaunch;
}

/** When somebody who waits for many replies, each as large as a result, is ready for one. */
export interface ReadingTurns {
  /** Whether he would take one now. */
  readonly hasRoom: boolean;
  next<T>(read: () => Promise<T>): Promise<T>;
}

const AT_ONCE: ReadingTurns = { hasRoom: true, next: (read) => read() };

/** One proposer. What it proposes is validated, decided, executed and recorded before it is answered. */
export interface Session extends AsyncDisposable {
  /** Given by the runtime, and in each record of the session. */
  readonly id: SessionId;
  /**
   * Proposes one protocol message: bytes as they arrived, or a message object such as `{ tool_call: { tool, args } }`.
   * Resolves with the reply once the outcome is durable; one that an operator is asked about resolves with `status:
   * "pending"`, and `wait` has its end. Denials, failures and protocol errors are replies, not exceptions; a closed
   * session throws a `TypeError`, as does what is no such option.
   */
  propose(message: Uint8Array | ProtocolMessage, options?: ProposeOptions): Promise<Reply>;
  /**
   * The reply that an execution ends with, once it does: for one that waited for an operator, also when another
   * session of the same principal proposed it, before a restart. Throws FEMTO_EXECUTION_NOT_FOUND for one that the
   * journal does not know or that is another principal's, FEMTO_DRAINING when the host stops before it ends.
   * It is read from the journal at once, or where `turns` says so.
   */
  wait(execution: string, turns?: ReadingTurns): Promise<Reply>;
  /** Output of this session's executions while they run. */
  readonly outputs: OutputReader;
  /**
   * What changes beside its calls: what is offered, and resources of MCP servers that it is subscribed to. Throws
   * FEMTO_OVERLOADED where too many wait, and FEMTO_DRAINING.
   */
  changes(request: ChangesRequest): Promise<WatchedChanges>;
  /** Ends a subscription of this session; false where there is none. */
  unsubscribe(server: string, uri: string): boolean;
  /** Answers what the MCP server of a call of this session asks its client. Throws for what is no answer to an open question. */
  answer(question: string, answers: unknown): Promise<void>;
  /** Asks an execution of this session to end; false when it is unknown here or has ended. */
  cancel(execution: string): boolean;
  /** Executions proposed so far go on; further ones are refused. */
  close(): void;
}

/** Who will propose in a session, as whoever opens it knows it. */
export interface SessionOptions {
  /** Through which door the proposer came. */
  readonly channel: "library" | "agent" | "operator";
  /** What the proposer calls itself. */
  readonly label?: string;
  /**
   * For which agent of the configuration it proposes. Who opens the session knows that by the way the proposer
   * came; a proposer's word for it would prove nothing. Without it rights are those that everybody has.
   */
  readonly principal?: string;
}

/** Who has no tables of his own. */
const EVERYBODY = "default";

/** Who is not the operator acts for the principal by a grant that is as old as the session. */
function actorOf(id: SessionId, { channel, label, principal = EVERYBODY }: SessionOptions): RecordActor {
  return {
    principal,
    // It stands outside of the body, which is where secrets are looked for.
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

  open(options: SessionOptions, { gate, outputs, relay }: Pick<OpenGate, "gate" | "outputs" | "relay">): Session {
    requireSessionOptions(options);
    const { clock } = this.#parts;
    const { principal = EVERYBODY } = options;
    // INVARIANT: I8: a name without tables would have the rights of everybody under a name that promises fewer.
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
    // It lives as long as the session; nobody else's questions are answered from it.
    const share = new DecisionShare();
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
      gate.questions.forget(id);
      this.#parts.closed(id);
      records.end();
    };
    const session: Session = {
      id,
      propose: async (message, asked = {}) => {
        if (!this.#open.has(id)) throw new TypeError("the session is closed");
        requireProposeOptions(asked);
        const { label, trace, signal, launch, wishes, onIdentified } = asked;
        records.executions += 1;
        // An object takes the same way as bytes from a socket, so that there is one parser and one gate.
        // INVARIANT: I8: what runs is what was proposed, also where its proposer reads the next message into the same memory.
        const bytes = Buffer.from(message instanceof Uint8Array ? message : JSON.stringify(message));
        // INVARIANT: I8: who proposes is said here; of what a client says about itself the label and the trace are taken.
        const proposal = { session: id, actor, bytes, quota, share, door, introduce, label, trace };
        return await gate.propose({ ...proposal, signal, launch, wishes, onIdentified });
      },
      wait: async (execution, turns = AT_ONCE) =>
        await Promise.resolve(gate.wait(execution as ExecutionId)).then((reply) => {
          // An answer without a record tells nothing but that there is none; any other is in the journal by now.
          if (reply?.record === null) return reply;
          const kept = turns.hasRoom ? reply : null;
          return turns.next(async () => {
            // INVARIANT: I8: it finds nothing of another principal, also where the reply is here.
            const ended = await this.#parts.ended(execution as ExecutionId, principal);
            return kept ?? ended;
          });
        }),
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
    this.#open.set(id, { session, quota, actor, introduce });
    return session;
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

interface SessionRecordsParts {
  readonly id: SessionId;
  readonly actor: RecordActor;
  record(entry: JournalEntry): void;
  /** Whether its proposer is still there. */
  isOpen(): boolean;
  /** Whether history knows it, as far as records have numbers. */
  isKnown(): boolean;
}

/**
 * The records of a session itself. INVARIANT: I9: who connects and leaves again, and again, without a call that is recorded,
 * leaves no trace: the first record of a session comes right before that of its first call.
 */
class SessionRecords {
  readonly #parts: SessionRecordsParts;
  #hasBegun = false;
  /** Proposals so far; the last record tells how many there were. */
  executions = 0;

  constructor(parts: SessionRecordsParts) {
    this.#parts = parts;
  }

  /** Records that the session was opened, where nothing tells of it yet; false where it is not to begin anew. */
  begin(): boolean {
    const { id, actor, record, isOpen, isKnown } = this.#parts;
    // One that was forgotten since it ended does not begin anew.
    if (this.#hasBegun || isKnown()) return isKnown();
    record({ type: "session.opened", actor, session: id, execution: null, body: { history: 1 } });
    this.#hasBegun = isKnown();
    // Its client has left before anything was recorded of it.
    if (this.#hasBegun && !isOpen()) this.end();
    return this.#hasBegun;
  }

  /** Records that the session is over, where anything was recorded of it. */
  end(): void {
    if (!this.#hasBegun) return;
    const { id, actor, record } = this.#parts;
    record({ type: "session.closed", actor, session: id, execution: null, body: { executions: this.executions } });
  }
}
