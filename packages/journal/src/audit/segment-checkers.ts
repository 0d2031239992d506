/**
 * Checks segments of a log, in the caller's thread and in others beside it. All run the same function; which of them
 * it was shows in nothing but the time.
 */
import { getCompileCacheDir } from "node:module";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import type { Worker } from "node:worker_threads";
import { startSegmentThread } from "#segment-thread";
import { checkSegment, type Segment, type SegmentFindings } from "./segment.ts";
import type { ThreadNews } from "./segment-worker.ts";

/** LIMIT: threads beside the one that reads the log, which keeps no more than about so many busy. */
const THREADS_MAX = 4;
/** LIMIT: segments that wait for or in one thread; enough that it never runs dry, and a few megabytes. */
const WAITING_MAX = 4;
/** Records that are checked for less than the start of a thread costs. */
const ALONE_RECORDS = 32_768;

/** Not a verdict about the log: a thread ended before it had one. */
export class LostThread extends Error {}

interface Thread {
  readonly worker: Worker;
  /** Who waits for its answers, in the order of what it was sent. */
  readonly waiting: ((findings: SegmentFindings | LostThread) => void)[];
  isReady: boolean;
}

/** Threads beside the reading one, which has a processor too, that a verification uses when nobody says how many. */
export function verificationThreads(): number {
  return Math.min(availableParallelism() - 1, THREADS_MAX);
}

export class SegmentCheckers implements AsyncDisposable {
  readonly #count: number;
  /** Whether threads have to pay: they begin late, and nobody waits for their start. */
  readonly #isThrifty: boolean;
  #threads: Thread[] = [];
  #lost: LostThread | null = null;

  constructor(threads?: number) {
    this.#count = threads ?? verificationThreads();
    this.#isThrifty = threads === undefined;
  }

  /** Segments to give before the findings about the first of them are waited for: as many again are checked here. */
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
    // Whoever would have to wait for them does it himself.
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

/** A thread uses the compiled code that this process keeps, if it keeps any; Node.js lets it know in no other way. */
function environment(): NodeJS.ProcessEnv {
  const kept = getCompileCacheDir();
  return kept === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: dirname(kept) };
}
