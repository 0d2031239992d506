/**
 * Reports questions to operators: when one is asked, and how it ends. It reads the runtime's state and the questions'
 * records beside the gate. What is open when a host starts is reported again.
 */
import type { Clock } from "@femtoclaw/journal";
import type { TypedRecord } from "@femtoclaw/protocol";
import type { Runtime } from "@femtoclaw/runtime";
import { type WebhookEvent, type WebhookMessage, webhookMessage } from "./webhook-message.ts";

/** LIMIT: milliseconds between two looks at the open questions. */
const LOOK_MS = 500;

type Asked = TypedRecord & { readonly type: "approval.asked" };
type Watched = Pick<Runtime, "projection" | "reader" | "policy" | "status">;

interface Question {
  readonly asked: Asked;
  readonly execution: string;
  readonly rule: string;
  readonly reason: string;
  /** Records up to this number were processed. */
  seen: number;
  /** Number of yes answers that were reported. */
  granted: number;
  isOver: boolean;
}

export interface QuestionWatchParts {
  readonly runtime: Watched;
  readonly clock: Clock;
  tell(message: WebhookMessage): void;
  onFault(error: unknown): void;
}

export class QuestionWatch {
  readonly #parts: QuestionWatchParts;
  readonly #log: string;
  /** By the number of the asking record. LIMIT: as many as questions can be open, plus those that just ended. */
  readonly #known = new Map<number, Question>();
  /** Questions that were asked and may end before the next look. */
  readonly #asked = new Set<number>();
  #cancelLook: (() => void) | null = null;
  #isStopped = false;
  #looking: Promise<void> = Promise.resolve();

  constructor(parts: QuestionWatchParts) {
    this.#parts = parts;
    this.#log = parts.runtime.status().log;
  }

  start(): void {
    this.#look();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelLook?.();
  }

  /** Takes the number of the asking record. */
  asked(seq: number): void {
    this.#asked.add(seq);
  }

  isOpen(id: string): boolean {
    return this.#known.get(Number(id))?.isOver === false;
  }

  #look(): void {
    this.#looking = this.#update()
      .catch((error: unknown) => this.#parts.onFault(error))
      .finally(() => {
        if (this.#isStopped) return;
        this.#cancelLook = this.#parts.clock.after(LOOK_MS, () => this.#look(), { unref: true });
      });
  }

  /** Resolves when the current look is done. */
  get looked(): Promise<void> {
    return this.#looking;
  }

  async #update(): Promise<void> {
    const open = this.#parts.runtime.projection.questions;
    for (const question of [...this.#known.values()]) {
      const now = open.get(question.execution);
      const isGone = now?.seq !== question.asked.seq;
      if (!question.isOver && (isGone || now.granted.length > question.granted)) await this.#follow(question);
      // INVARIANT: the state is ahead of the readable records, so a record that is not found yet is looked for again.
      if (isGone && question.isOver) this.#known.delete(question.asked.seq);
      else if (!isGone) question.granted = Math.min(question.granted, now.granted.length);
    }
    const seqs = new Set([...this.#asked, ...[...open.values()].map(({ seq }) => seq)]);
    this.#asked.clear();
    const fresh = [...seqs].filter((seq) => !this.#known.has(seq)).sort((a, b) => a - b);
    for (const seq of fresh) await this.#begin(seq);
  }

  async #begin(seq: number): Promise<void> {
    const { reader, policy } = this.#parts.runtime;
    for await (const asked of reader.read(seq, seq + 1)) {
      if (asked.type !== "approval.asked" || asked.execution === null) return;
      const { rules } = asked.body;
      const rule = rules.find((id) => !id.endsWith("/granted")) ?? rules[0] ?? "";
      const reason = policy.rules.find(({ id }) => id === rule)?.reason ?? "";
      const { execution } = asked;
      const question = { asked, execution, rule, reason, seen: seq, granted: 0, isOver: false };
      this.#known.set(seq, question);
      this.#tell(question, "asked", seq, null);
    }
  }

  /** Reports what followed the question, in the order of the records. */
  async #follow(question: Question): Promise<void> {
    const { reader } = this.#parts.runtime;
    for (const seq of await reader.locate(question.execution)) {
      if (seq <= question.seen || question.isOver) continue;
      for await (const record of reader.read(seq, seq + 1)) this.#next(question, record);
      question.seen = seq;
    }
  }

  #next(question: Question, record: TypedRecord): void {
    const { seq } = question.asked;
    if (record.type === "approval.answered" && record.body.question === seq) {
      const { answer, complete } = record.body;
      question.isOver = complete;
      if (answer === "granted") question.granted += 1;
      this.#tell(question, "answered", record.seq, { answer, by: record.actor?.principal ?? "", complete });
    } else if (
      (record.type === "execution.refused" || record.type === "execution.intent") &&
      record.body.approval === seq
    ) {
      question.isOver = true;
      const isExpired = record.type === "execution.refused" && record.body.event === "expired";
      this.#tell(question, isExpired ? "expired" : "withdrawn", record.seq, null);
    }
  }

  #tell(
    { asked, rule, reason }: Question,
    event: WebhookEvent,
    record: number,
    answer: WebhookMessage["answer"],
  ): void {
    const { tool, expires_at, digest } = asked.body;
    const about = { id: String(asked.seq), tool, rule, reason, expires_at, digest, log: this.#log };
    this.#parts.tell(webhookMessage({ event, ...about, record, answer }));
  }
}
