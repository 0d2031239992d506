/**
 * Delivers messages to a webhook, one at a time. A failed one is tried again after a pause that doubles, for a bounded
 * time. Nothing waits for a delivery, and only the status of a response counts.
 */
import type { Clock } from "@femtoclaw/journal";
import { errorText } from "@femtoclaw/protocol";
import { signedRequest, type WebhookMessage } from "./webhook-message.ts";

/** LIMIT: waiting messages, of some 2 KiB each: four times as many as questions are open by default. */
const WAITING_MAX = 1_024;
/** LIMIT: milliseconds of one attempt. */
const ATTEMPT_MS = 10_000;
/** LIMIT: milliseconds of the pause after the first failed attempt, and of the longest pause. */
const PAUSE_MS = 1_000;
const PAUSE_MS_MAX = 300_000;
/** LIMIT: milliseconds after which a message is given up if its question is not open any more. */
const LATE_MS = 3_600_000;

export interface WebhookStatus {
  /** Only the origin, because the rest of the address may be secret. */
  readonly origin: string;
  readonly delivered: number;
  readonly waiting: number;
  /** Messages that were never delivered. */
  readonly given_up: number;
  /** Why the last attempt failed; null if it succeeded. */
  readonly error: string | null;
}

interface Waiting {
  readonly message: WebhookMessage;
  readonly sinceUs: number;
}

export interface DeliveryParts {
  readonly url: string;
  readonly key: string;
  readonly clock: Clock;
  /** Whether the question is still open; then its message is not given up because of its age. */
  isOpen(id: string): boolean;
  /** Called at the first failure after a success, and at the first success after a failure. */
  onChange(error: string | null): void;
}

export class WebhookDelivery {
  readonly #parts: DeliveryParts;
  readonly #waiting: Waiting[] = [];
  readonly #stop = new AbortController();
  #delivered = 0;
  #givenUp = 0;
  #failures = 0;
  #error: string | null = null;
  #isSending = false;
  #underWay: 0 | 1 = 0;
  #cancelPause: (() => void) | null = null;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
  }

  get status(): WebhookStatus {
    return {
      origin: new URL(this.#parts.url).origin,
      delivered: this.#delivered,
      waiting: this.#waiting.length + this.#underWay,
      given_up: this.#givenUp,
      error: this.#error,
    };
  }

  add(message: WebhookMessage): void {
    this.#waiting.push({ message, sinceUs: this.#parts.clock.monotonicUs() });
    if (this.#waiting.length > WAITING_MAX) this.#makeRoom();
    if (this.#cancelPause === null) void this.#send();
  }

  /** Aborts the current attempt and sends nothing more. */
  stop(): void {
    this.#stop.abort();
    this.#cancelPause?.();
    this.#waiting.length = 0;
  }

  /** Drops one message, and as long as possible none that a person can still act on. */
  #makeRoom(): void {
    const isLast = ({ message }: Waiting): boolean => message.event !== "asked" || !this.#parts.isOpen(message.id);
    const at = this.#waiting.findIndex(isLast);
    this.#waiting.splice(Math.max(at, 0), 1);
    this.#givenUp += 1;
  }

  async #send(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      for (let next = this.#next(); next !== null && !this.#stop.signal.aborted; next = this.#next()) {
        this.#underWay = 1;
        const error = await this.#attempt(next.message);
        this.#underWay = 0;
        if (this.#stop.signal.aborted) return;
        this.#tell(error);
        if (error === null) this.#delivered += 1;
        else {
          // The message goes to the end of the queue, so that one that always fails does not block the others.
          this.#waiting.push(next);
          this.#pause();
          return;
        }
      }
    } finally {
      this.#isSending = false;
    }
  }

  /** Removes and returns the next message that is still worth an attempt. */
  #next(): Waiting | null {
    const { clock, isOpen } = this.#parts;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const isLate = clock.monotonicUs() - next.sinceUs > LATE_MS * 1_000;
      if (!isLate || isOpen(next.message.id)) return next;
      this.#givenUp += 1;
    }
    return null;
  }

  #pause(): void {
    const pauseMs = Math.min(PAUSE_MS * 2 ** Math.min(this.#failures - 1, 20), PAUSE_MS_MAX);
    const goOn = (): void => {
      this.#cancelPause = null;
      void this.#send();
    };
    this.#cancelPause = this.#parts.clock.after(pauseMs, goOn, { unref: true });
  }

  #tell(error: string | null): void {
    const isOther = (error === null) !== (this.#error === null);
    this.#failures = error === null ? 0 : this.#failures + 1;
    this.#error = error;
    if (isOther) this.#parts.onChange(error);
  }

  /** Null if the message was accepted, otherwise the reason. */
  async #attempt(message: WebhookMessage): Promise<string | null> {
    const { url, key, clock } = this.#parts;
    const late = new AbortController();
    const cancel = clock.after(ATTEMPT_MS, () => late.abort(new Error(`no answer in ${ATTEMPT_MS} ms`)), {
      unref: true,
    });
    const signal = AbortSignal.any([this.#stop.signal, late.signal]);
    try {
      const request = signedRequest(message, key, clock.nowUs());
      // Following a redirect would send the question wherever the redirecting server says.
      const response = await fetch(url, { method: "POST", ...request, redirect: "manual", signal });
      // INVARIANT: I8: the receiver cannot answer a question: not a byte of its response is read.
      await response.body?.cancel();
      return response.ok ? null : `it answered with status ${response.status}`;
    } catch (error) {
      const cause = error instanceof Error && error.cause !== undefined ? `: ${errorText(error.cause)}` : "";
      return `it could not be reached: ${errorText(error)}${cause}`;
    } finally {
      cancel();
    }
  }
}
