/**
 * The calls that wait for operators, oldest first, and the operators who wait for the next one. Each call is found
 * without looking at the others, because the cost of an execution must not depend on how many wait.
 */
import type { Clock } from "@femtoclaw/journal";
import { FemtoError } from "@femtoclaw/protocol";
import type { GrowthWait } from "../../log-growth.ts";
import { WaitingReaders } from "../../waiting-readers.ts";
import type { WaitingCall } from "./waiting-call.ts";

/** LIMIT: operators who wait for the next question at once; each of them is an open request. */
const WATCHERS = 256;
/** Milliseconds for which changes are gathered, so that questions asked together are reported together. */
const GATHER_MS = 50;

export class OpenCalls {
  readonly #byExecution = new Map<string, WaitingCall>();
  /** Ordered by the number of the question's record. A call added later may have an earlier number. */
  readonly #bySeq: WaitingCall[] = [];
  readonly #bySession = new Map<string, WaitingCall[]>();
  #secretBytes = 0;
  /** Counts questions, answers and settlements in this boot, so that watchers can tell whether anything is new. */
  #changes = 1;
  #isClosed = false;
  readonly #watchers: WaitingReaders;

  constructor(clock: Pick<Clock, "after">) {
    this.#watchers = new WaitingReaders(clock, GATHER_MS);
  }

  get size(): number {
    return this.#bySeq.length;
  }

  /** Bytes of arguments with secrets that are kept for these calls. */
  get secretBytes(): number {
    return this.#secretBytes;
  }

  /** Oldest first. Do not keep this array: it changes as questions come and go. */
  get all(): readonly WaitingCall[] {
    return this.#bySeq;
  }

  get changes(): number {
    return this.#changes;
  }

  get(seq: number): WaitingCall | undefined {
    const call = this.#bySeq[this.#placeOf(seq)];
    return call?.seq === seq ? call : undefined;
  }

  of(execution: string): WaitingCall | undefined {
    return this.#byExecution.get(execution);
  }

  ofSession(session: string): readonly WaitingCall[] {
    return this.#bySession.get(session) ?? [];
  }

  /** At most `limit` calls, from a record number on. */
  from(seq: number, limit: number): readonly WaitingCall[] {
    const at = this.#placeOf(seq);
    return this.#bySeq.slice(at, at + limit);
  }

  /** Adds a new call, or replaces one with what is known about it by now. */
  put(call: WaitingCall): void {
    this.#take(call.seq);
    this.#bySeq.splice(this.#placeOf(call.seq), 0, call);
    this.#byExecution.set(call.execution, call);
    this.#secretBytes += call.secretBytes;
    const own = this.#bySession.get(call.session);
    if (own === undefined) this.#bySession.set(call.session, [call]);
    else own.push(call);
    this.#changed();
  }

  delete(seq: number): void {
    this.#take(seq);
    this.#changed();
  }

  /**
   * Forgets the calls of a host that stops, and tells so everybody who waits. INVARIANT: nobody is told that no call
   * waits any more, because they wait again after the next start.
   */
  close(): void {
    this.#isClosed = true;
    this.#bySeq.length = 0;
    this.#byExecution.clear();
    this.#bySession.clear();
    this.#secretBytes = 0;
    this.#changed();
  }

  /**
   * Resolves once the number of changes differs from `changes`, or when the wait is over. Throws FEMTO_OVERLOADED, and
   * FEMTO_DRAINING if the host stops.
   */
  async changedAfter(changes: number, wait: GrowthWait): Promise<void> {
    await this.#changeAfter(changes, wait);
    if (!this.#isClosed) return;
    const fix = "Look again after the next start. What was asked waits until then, or until its time is over.";
    throw new FemtoError("FEMTO_DRAINING", "the host stops, and tells of no more questions", { fix });
  }

  async #changeAfter(changes: number, { waitMs, left }: GrowthWait): Promise<void> {
    if (changes !== this.#changes || waitMs === 0 || left.aborted) return;
    // INVARIANT: I9: the number of waiting operators is limited.
    if (this.#watchers.count >= WATCHERS) {
      throw new FemtoError("FEMTO_OVERLOADED", `${WATCHERS} operators wait for the next question already`);
    }
    await this.#watchers.more(waitMs, left);
  }

  #take(seq: number): void {
    const call = this.get(seq);
    if (call === undefined) return;
    this.#bySeq.splice(this.#placeOf(seq), 1);
    this.#byExecution.delete(call.execution);
    this.#secretBytes -= call.secretBytes;
    const others = this.ofSession(call.session).filter((other) => other.seq !== seq);
    if (others.length === 0) this.#bySession.delete(call.session);
    else this.#bySession.set(call.session, others);
  }

  /** Index of the question with this number, or of the next one behind it. */
  #placeOf(seq: number): number {
    let [from, to] = [0, this.#bySeq.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((this.#bySeq[middle]?.seq ?? 0) < seq) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  #changed(): void {
    this.#changes += 1;
    this.#watchers.wake();
  }
}
