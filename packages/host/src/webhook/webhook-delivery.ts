/**
 * Brings messages to a webhook: one at a time, again after a pause that doubles, for a bounded time. Nothing waits
 * for it, and of an answer nothing counts but its status.
 */
import type { Clock } from "@femtoclaw/journal";
import { errorText } from "@femtoclaw/protocol";
import { signedRequest, type WebhookMessage } from "./webhook-message.ts";

/** LIMIT: messages that wait at once, some 2 KiB each; no more than 256 questions are open at a time. */
const WAITING_MAX = 1_024;
/** LIMIT: time of one attempt. */
const ATTEMPT_MS = 10_000;
/** LIMIT: pause after the first failed attempt, and the longest one. */
const PAUSE_MS = 1_000;
const PAUSE_MS_MAX = 300_000;
/** LIMIT: time after which a message of a question that is not open any more is given up. */
const LATE_MS = 3_600_000;

export interface WebhookStatus {
  /** Where it goes; the rest of an address can be a secret. */
  readonly origin: string;
  readonly delivered: number;
  readonly waiting: number;
  /** Messages that nobody was told of. */
  readonly given_up: number;
  /** Why the last attempt failed; null when it did not. */
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
  /** Whether the question is still open: its message is then never given up. */
  isOpen(id: string): boolean;
  /** Told of the first failure after a success, and of the first success after one. */
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

  /** Ends an attempt that is under way; nothing is sent any more. */
  stop(): void {
    this.#stop.abort();
    this.#cancelPause?.();
    this.#waiting.length = 0;
  }

  /** What a person can still act on stays. */
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
          // At the end of those that wait, so that one which is never taken keeps no other one back.
          this.#waiting.push(next);
          this.#pause();
          return;
        }
      }
    } finally {
      this.#isSending = false;
    }
  }

  /** The next one that is still worth an attempt, taken out of those that wait. */
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

  /** Null when it was taken; else why not. */
  async #attempt(message: WebhookMessage): Promise<string | null> {
    const { url, key, clock } = this.#parts;
    const late = new AbortController();
    const cancel = clock.after(ATTEMPT_MS, () => late.abort(new Error(`no answer in ${ATTEMPT_MS} ms`)), {
      unref: true,
    });
    const signal = AbortSignal.any([this.#stop.signal, late.signal]);
    try {
      const request = signedRequest(message, key, clock.nowUs());
      // A redirect would carry what is asked wherever somebody else says.
      const response = await fetch(url, { method: "POST", ...request, redirect: "manual", signal });
      // INVARIANT: I8: whoever is told answers nothing: of the answer no byte is read.
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
