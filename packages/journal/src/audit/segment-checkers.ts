/**
 * Checks segments of a log in the caller's thread and in worker threads. All run the same function, so the choice of
 * thread affects only the time.
 */
import { getCompileCacheDir } from "node:module";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import type { Worker } from "node:worker_threads";
import { startSegmentThread } from "#segment-thread";
import { checkSegment, type Segment, type SegmentFindings } from "./segment.ts";
import type { ThreadNews } from "./segment-worker.ts";

/** LIMIT: worker threads; the thread that reads the log cannot keep many more of them busy. */
const THREADS_MAX = 4;
/**
 * LIMIT: segments queued for or being checked by one thread. That is enough to keep it busy and takes a few megabytes.
 */
const WAITING_MAX = 4;
/** Checking up to this many records costs less than starting a thread. */
const ALONE_RECORDS = 32_768;

/** A thread ended before it gave its verdict. This says nothing about the log. */
export class LostThread extends Error {}

interface Thread {
  readonly worker: Worker;
  /** Callbacks for its answers, in the order in which the segments were sent. */
  readonly waiting: ((findings: SegmentFindings | LostThread) => void)[];
  isReady: boolean;
}

/** Number of worker threads by default. The reading thread needs a processor too. */
export function verificationThreads(): number {
  return Math.min(availableParallelism() - 1, THREADS_MAX);
}

export class SegmentCheckers implements AsyncDisposable {
  readonly #count: number;
  /**
   * Whether to start threads only if the log is long enough to make them pay, and to use them only once they are ready.
   */
  readonly #isThrifty: boolean;
  #threads: Thread[] = [];
  #lost: LostThread | null = null;

  constructor(threads?: number) {
    this.#count = threads ?? verificationThreads();
    this.#isThrifty = threads === undefined;
  }

  /**
   * Number of segments to hand over before waiting for the findings about the first. Half of them are checked in the
   * caller's thread.
   */
  get window(): number {
    return Math.max(1, this.#usable().length * WAITING_MAX * 2);
  }

  async check(segment: Segment): Promise<SegmentFindings | LostThread> {
    if (this.#count === 0 || (this.#isThrifty && segment.first < ALONE_RECORDS)) return checkSegment(segment);
    if (this.#threads.length === 0) this.#threads = Array.from({ length: this.#count }, () => this.#start());
    if (this.#lost !== null) return this.#lost;
    const [first, ...others] = this.#usable();
    if (first === undefined) return checkSegment(segment);
    const thread = others.reduce((least, next) => (next.waiting.length < least.waiting.length ? next : least), first);
    // All threads have full queues, so the caller's thread checks this segment.
    if (thread.waiting.length >= WAITING_MAX) return checkSegment(segment);
    return await new Promise((resolve) => {
      thread.waiting.push(resolve);
      thread.worker.postMessage(segment, [segment.bytes.buffer, segment.ends.buffer]);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }

  #usable(): readonly Thread[] {
    return this.#isThrifty ? this.#threads.filter(({ isReady }) => isReady) : this.#threads;
  }

  #start(): Thread {
    const worker = startSegmentThread({ env: environment() });
    const thread: Thread = { worker, waiting: [], isReady: false };
    worker.on("message", (news: ThreadNews) => {
      if (news === "ready") thread.isReady = true;
      else thread.waiting.shift()?.(news);
    });
    worker.on("error", (cause) => {
      this.#lost ??= new LostThread("a thread of the verification ended before its answer", { cause });
      for (const resolve of thread.waiting.splice(0)) resolve(this.#lost);
    });
    return thread;
  }
}

/**
 * Lets a thread use this process's cache of compiled code, if there is one. Node.js takes that setting only from the
 * environment.
 */
function environment(): NodeJS.ProcessEnv {
  const kept = getCompileCacheDir();
  return kept === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: dirname(kept) };
}
