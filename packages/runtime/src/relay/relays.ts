/**
 * What MCP servers say beside their answers, on to whoever made the call: told with the output of its execution, counted
 * for its record, and bounded for its session.
 */
import type { CallRelay, SubscriptionRequest } from "@femtoclaw/capabilities";
import { type Clock, redact } from "@femtoclaw/journal";
import {
  type ExecutionOutcomeBody,
  LIMITS,
  type LogLevel,
  printable,
  type SessionId,
  type UpstreamNotice,
} from "@femtoclaw/protocol";
import type { Execution } from "../gate/execution.ts";
import type { GateOutputs } from "../gate/gate-parts.ts";

/** What a proposer wants to be told of MCP servers beside answers. */
export interface RelayWishes {
  /** The least severe level of their logs; none of them is told without. */
  readonly logLevel?: LogLevel;
}

export interface RelaysParts {
  readonly clock: Pick<Clock, "monotonicUs">;
  readonly outputs: Pick<GateOutputs, "tell">;
  subscribe(opening: Execution, request: SubscriptionRequest): Promise<void>;
}

interface Allowance {
  left: number;
  atUs: number;
}

type Relayed = NonNullable<ExecutionOutcomeBody["relayed"]>;

export class Relays {
  readonly #parts: RelaysParts;
  readonly #allowances = new Map<SessionId, Allowance>();

  constructor(parts: RelaysParts) {
    this.#parts = parts;
  }

  /** For the effect of one call. */
  of(execution: Execution): Relay {
    const { session, id } = execution;
    return new Relay(execution, {
      mayTell: () => this.#mayTell(session),
      tell: (notice) => this.#parts.outputs.tell(id, session, notice),
      subscribe: (request) => this.#parts.subscribe(execution, request),
    });
  }

  /** The session is over. */
  forget(session: SessionId): void {
    this.#allowances.delete(session);
  }

  /** INVARIANT: I9: however much servers say, a session is told so much of it and no more, whichever of its calls it is about. */
  #mayTell(session: SessionId): boolean {
    const nowUs = this.#parts.clock.monotonicUs();
    const { left, atUs } = this.#allowances.get(session) ?? { left: LIMITS.noticeBurst, atUs: nowUs };
    const grown = ((nowUs - atUs) / 1_000_000) * LIMITS.noticesPerSecond;
    const now = Math.min(LIMITS.noticeBurst, left + grown);
    this.#allowances.set(session, { left: now < 1 ? now : now - 1, atUs: nowUs });
    return now >= 1;
  }
}

interface Telling {
  mayTell(): boolean;
  tell(notice: UpstreamNotice): void;
  subscribe(request: SubscriptionRequest): Promise<void>;
}

export class Relay implements CallRelay {
  readonly caller: string;
  readonly logLevel: LogLevel | null;
  readonly #telling: Telling;
  #progress = 0;
  #dropped = 0;
  #messages = 0;
  readonly #said: Relayed["said"][number][] = [];

  constructor({ session, wishes }: Execution, telling: Telling) {
    this.caller = session;
    this.logLevel = wishes.logLevel ?? null;
    this.#telling = telling;
  }

  notice(notice: UpstreamNotice): void {
    if (!this.#telling.mayTell()) {
      this.#dropped += 1;
      return;
    }
    // INVARIANT: I10: what looks like a secret is neither told nor recorded.
    const { value } = redact(notice);
    this.#count(value);
    this.#telling.tell(value);
  }

  async subscribe(request: SubscriptionRequest): Promise<void> {
    await this.#telling.subscribe(request);
  }

  /** What the outcome holds of it; nothing where nothing came. */
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
    this.#messages += 1;
    if (this.#said.length >= LIMITS.recordedNotices) return;
    const { level, logger, text } = notice;
    const said = printable(text, LIMITS.recordedNoticeChars);
    this.#said.push({ level, ...(logger === null ? {} : { logger }), text: said });
  }
}
