/**
 * Passes what MCP servers say besides their answers on to the client that made the call: it is reported with the output
 * of its execution, counted for its record, and limited for its session.
 */
import type { CallRelay, SubscriptionRequest } from "@femtoclaw/capabilities";
import { type Clock, type JournalEntry, redact } from "@femtoclaw/journal/live";
import {
  type AskKind,
  type ExecutionOutcomeBody,
  LIMITS,
  type LogLevel,
  printable,
  type SessionId,
  type UpstreamNotice,
} from "@femtoclaw/protocol";
import { TokenBucket } from "../gate/admission/session-quota.ts";
import type { Execution } from "../gate/execution.ts";
import type { GateOutputs } from "../gate/gate-parts.ts";
import { ClientQuestions } from "./client-questions.ts";

/** What a proposer wants to be told about MCP servers besides answers. */
export interface RelayWishes {
  /** What its client can be asked. */
  readonly canAnswer?: readonly AskKind[];
  /** The least severe level of log lines that are passed on; without it, none are. */
  readonly logLevel?: LogLevel;
}

export interface RelaysParts {
  readonly clock: Pick<Clock, "monotonicUs">;
  readonly outputs: Pick<GateOutputs, "tell">;
  subscribe(opening: Execution, request: SubscriptionRequest): Promise<void>;
  newId(): string;
  /** Whether the proposer of a session is still there. */
  isOpen(session: SessionId): boolean;
  /** Resolves once the entry is durable. */
  append(entry: JournalEntry): Promise<unknown>;
}

type Relayed = NonNullable<ExecutionOutcomeBody["relayed"]>;

export class Relays {
  readonly #parts: RelaysParts;
  readonly #questions: ClientQuestions;
  /** INVARIANT: I9: only open sessions are kept, so that this does not grow with every session that ever was. */
  readonly #allowances = new Map<SessionId, TokenBucket>();

  constructor(parts: RelaysParts) {
    this.#parts = parts;
    this.#questions = new ClientQuestions(parts);
  }

  /**
   * Answers a question that the server of one of the session's calls asked. Throws if this does not answer an open
   * question.
   */
  async answer(session: SessionId, question: string, answers: unknown): Promise<void> {
    await this.#questions.answer(session, question, answers);
  }

  /** The relay for the effect of one call. */
  of(execution: Execution): Relay {
    const { session, id } = execution;
    // Calls that go on when their session is over are each on their own account.
    let own: TokenBucket | null = null;
    const allowance = (): TokenBucket => {
      if (this.#parts.isOpen(session)) return this.#allowanceOf(session);
      own ??= this.#newAllowance();
      return own;
    };
    return new Relay(execution, {
      mayTell: () => allowance().take(1, this.#parts.clock.monotonicUs()),
      tell: (notice) => this.#parts.outputs.tell(id, session, notice),
      subscribe: (request) => this.#parts.subscribe(execution, request),
      ask: (server, questions, signal) => this.#questions.ask({ execution, server, questions, signal }),
    });
  }

  /** Forgets a session that is over. */
  forget(session: SessionId): void {
    this.#allowances.delete(session);
  }

  /**
   * INVARIANT: I9: however much servers say, a session is told only a limited part of it, whichever of its calls it is
   * about.
   */
  #allowanceOf(session: SessionId): TokenBucket {
    const allowance = this.#allowances.get(session) ?? this.#newAllowance();
    this.#allowances.set(session, allowance);
    return allowance;
  }

  #newAllowance(): TokenBucket {
    const pace = { size: LIMITS.noticeBurst, perSecond: LIMITS.noticesPerSecond };
    return new TokenBucket(pace, this.#parts.clock.monotonicUs());
  }
}

interface Telling {
  mayTell(): boolean;
  tell(notice: UpstreamNotice): void;
  subscribe(request: SubscriptionRequest): Promise<void>;
  ask: CallRelay["ask"];
}

export class Relay implements CallRelay {
  readonly caller: string;
  readonly logLevel: LogLevel | null;
  readonly canAnswer: readonly AskKind[];
  readonly ask: CallRelay["ask"];
  readonly #telling: Telling;
  #progress = 0;
  #dropped = 0;
  #messages = 0;
  readonly #said: Relayed["said"][number][] = [];

  constructor({ session, wishes }: Execution, telling: Telling) {
    this.caller = session;
    this.logLevel = wishes?.logLevel ?? null;
    this.canAnswer = wishes?.canAnswer ?? [];
    this.ask = telling.ask;
    this.#telling = telling;
  }

  notice(notice: UpstreamNotice): void {
    if (!this.#telling.mayTell()) {
      this.#dropped += 1;
      return;
    }
    // INVARIANT: I10: what looks like a secret is neither passed on nor recorded.
    const { value } = redact(notice);
    this.#count(value);
    this.#telling.tell(value);
  }

  async subscribe(request: SubscriptionRequest): Promise<void> {
    await this.#telling.subscribe(request);
  }

  /** What the outcome reports of this; nothing if nothing came. */
  get recorded(): Pick<ExecutionOutcomeBody, "relayed"> {
    const [progress, messages, dropped] = [this.#progress, this.#messages, this.#dropped];
    return progress + messages + dropped === 0
      ? {}
      : { relayed: { progress, messages, dropped, said: this.#said as Relayed["said"] } };
  }

  #count(notice: UpstreamNotice): void {
    if (notice.kind === "progress") {
      this.#progress += 1;
      return;
    }
    if (notice.kind === "question") return;
    this.#messages += 1;
    if (this.#said.length >= LIMITS.recordedNotices) return;
    const { level, logger, text } = notice;
    const said = printable(text, LIMITS.recordedNoticeChars);
    this.#said.push({ level, ...(logger === null ? {} : { logger }), text: said });
  }
}
