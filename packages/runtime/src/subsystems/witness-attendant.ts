/**
 * Keeps one witness up to date: offers it the newest checkpoint, only one at a time and not too often, asks again after
 * a failure, and knows how long the witness has been behind.
 */
import type { Clock, SignedCheckpoint } from "@femtoclaw/journal";
import { errorText, LIMITS, printable } from "@femtoclaw/protocol";
import type { LogEntry } from "../options.ts";
import type { CheckpointOffer, Witness, WitnessAnswer, WitnessStatus } from "../witness-port.ts";

export interface SignedNote {
  readonly note: string;
  readonly checkpoint: SignedCheckpoint;
}

interface AttendantOptions {
  readonly witness: Witness;
  readonly required: boolean;
  readonly clock: Clock;
  /** Size of the last checkpoint that the witness took before this start. */
  readonly knownSize: number;
  /**
   * Why that checkpoint and the log cannot both be right, in which case nothing more is offered; null if they agree.
   */
  readonly contradiction: string | null;
  offer(signed: SignedNote, knownSize: number, signal: AbortSignal): Promise<CheckpointOffer>;
  /** Stores the note that the witness took. */
  keep(note: string): Promise<void>;
  log(entry: LogEntry): void;
}

export class WitnessAttendant {
  readonly #options: AttendantOptions;
  #witnessedSize: number;
  #error: string | null = null;
  /** Whether the witness has taken this log since the start. */
  #confirmed = false;
  #newest: SignedNote | null = null;
  /** When the oldest checkpoint was offered that the witness has not taken. */
  #behindSinceUs: number | null = null;
  #retryMs: number = LIMITS.witnessRetryMs;
  #nextUs = 0;
  #cancelTimer: (() => void) | null = null;
  #attempt: Promise<void> | null = null;
  readonly #stopping = new AbortController();

  constructor(options: AttendantOptions) {
    this.#options = options;
    this.#witnessedSize = options.knownSize;
    if (options.contradiction !== null) this.#failed(options.contradiction, { contradicts: true });
  }

  get status(): WitnessStatus {
    const { witness, required } = this.#options;
    const { name, kind } = witness;
    return { name, kind, required, witnessed_size: this.#witnessedSize, error: this.#error };
  }

  /** Why nothing may begin if this witness is required; null if the witness is up to date. */
  get complaint(): string | null {
    const { witness, clock } = this.#options;
    const because = this.#error === null ? "" : `: ${this.#error}`;
    if (!this.#confirmed) return `the witness ${witness.name} has not taken this log since the start${because}`;
    const behindUs = this.#behindSinceUs === null ? 0 : clock.monotonicUs() - this.#behindSinceUs;
    if (behindUs <= LIMITS.unwitnessedMs * 1_000) return null;
    return `the witness ${witness.name} has been behind for more than ${LIMITS.unwitnessedMs} ms${because}`;
  }

  /** Remembers a checkpoint. The witness gets the newest one when it is due. */
  notice(signed: SignedNote): void {
    if (signed.checkpoint.size <= (this.#newest?.checkpoint.size ?? 0)) return;
    this.#newest = signed;
    if (this.#isBehind) this.#behindSinceUs ??= this.#options.clock.monotonicUs();
    this.#arm();
  }

  /** Makes one attempt at once, after any attempt that is under way. Resolves when it has ended. */
  async hurry(): Promise<void> {
    await this.#attempt;
    if (!this.#isBehind) return;
    this.#clearTimer();
    this.#begin();
    await this.#attempt;
  }

  stop(): void {
    this.#stopping.abort(new Error("the host is stopping"));
    this.#clearTimer();
  }

  get #isBehind(): boolean {
    if (this.#stopping.signal.aborted || this.#newest === null || this.#options.contradiction !== null) return false;
    return !this.#confirmed || this.#newest.checkpoint.size > this.#witnessedSize;
  }

  #arm(): void {
    if (!this.#isBehind || this.#cancelTimer !== null || this.#attempt !== null) return;
    const waitMs = Math.max(0, (this.#nextUs - this.#options.clock.monotonicUs()) / 1_000);
    // A witness keeps no process alive. A stop makes the last attempt by itself.
    const begin = (): void => {
      this.#cancelTimer = null;
      this.#begin();
    };
    this.#cancelTimer = this.#options.clock.after(waitMs, begin, { unref: true });
  }

  #begin(): void {
    if (this.#newest !== null) this.#attempt ??= this.#try(this.#newest);
  }

  async #try(signed: SignedNote): Promise<void> {
    const startedUs = this.#options.clock.monotonicUs();
    const answer = await this.#ask(signed);
    if (answer.taken) this.#took(signed, startedUs);
    else this.#failed(answer.reason, answer);
    this.#attempt = null;
    this.#arm();
  }

  async #ask(signed: SignedNote): Promise<WitnessAnswer> {
    const { witness, offer, keep, clock } = this.#options;
    const time = new AbortController();
    const over = Promise.withResolvers<never>();
    // A witness may ignore its signal; nobody waits for it then.
    const giveUp = (): void => {
      const error = new Error(`it did not answer within ${LIMITS.witnessTimeoutMs} ms`);
      time.abort(error);
      over.reject(error);
    };
    const cancelTimeout = clock.after(LIMITS.witnessTimeoutMs, giveUp, { unref: true });
    try {
      const signal = AbortSignal.any([time.signal, this.#stopping.signal]);
      const taking = offer(signed, this.#witnessedSize, signal).then((offered) => witness.take(offered));
      const answer = await Promise.race([taking, over.promise]);
      if (answer.taken) await keep(answer.note);
      return answer;
    } catch (error) {
      return { taken: false, contradicts: false, reason: errorText(error) };
    } finally {
      cancelTimeout();
    }
  }

  #took({ checkpoint }: SignedNote, startedUs: number): void {
    const { witness, log, clock } = this.#options;
    if (this.#error !== null) log({ level: "info", event: "witness.recovered", witness: witness.name });
    this.#error = null;
    this.#confirmed = true;
    this.#witnessedSize = checkpoint.size;
    // Checkpoints signed while the witness was being asked have waited since `startedUs` at most.
    this.#behindSinceUs = this.#isBehind ? startedUs : null;
    this.#retryMs = LIMITS.witnessRetryMs;
    this.#nextUs = clock.monotonicUs() + LIMITS.witnessPauseMs * 1_000;
  }

  #failed(why: string, { contradicts }: { readonly contradicts: boolean }): void {
    const { witness, log, clock } = this.#options;
    const reason = printable(why, LIMITS.reasonChars);
    // The same failure is not logged a second time.
    if (reason !== this.#error) {
      log({
        level: contradicts ? "error" : "warn",
        event: "witness.failed",
        witness: witness.name,
        contradicts,
        reason,
      });
    }
    this.#error = reason;
    this.#nextUs = clock.monotonicUs() + this.#retryMs * 1_000;
    this.#retryMs = Math.min(2 * this.#retryMs, LIMITS.witnessPauseMs);
  }

  #clearTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }
}
