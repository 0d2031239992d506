/**
 * Children that were started for calls to come. Each has groups of its own and waits in them, as the shell of `joining.ts`
 * and nothing else, until it hears what it is for; then it is that of one call, as if it had been started for it.
 */
import { availableParallelism } from "node:os";
import { BoundChild } from "./bound-child.ts";
import type { ChildLimits } from "./child-limits.ts";
import type { ChildStart } from "./child-start.ts";
import { canBeTold } from "./joining.ts";
import type { SandboxView } from "./view.ts";

/** LIMIT: children that wait at once. */
const WAITING_MAX = 2;
/** LIMIT: time that they wait since the last call that could have used one. */
const REST_MS = 10_000;

/** What such calls have: nothing to read, and two pipes to write to. */
const STDIO = ["ignore", "pipe", "pipe"] as const;

interface Waiting {
  readonly bound: BoundChild;
  /** All that it was started with. INVARIANT: it is for a call that would be started with the very same. */
  readonly startedWith: string;
}

interface Beginning {
  readonly before: ChildStart;
  readonly words: readonly string[];
  readonly startedWith: string;
}

export class WaitingChildren {
  #waiting: readonly Waiting[] = [];
  #running = 0;
  #isEnded = false;
  #rest: NodeJS.Timeout | null = null;

  /** Whether one waits for any call. */
  get isThere(): boolean {
    return this.#waiting.length > 0;
  }

  /** The child of a call, begun and to be released: one that waits, or a new one. Throws as `startChild` does. */
  begin(view: SandboxView, start: ChildStart, limits: ChildLimits): BoundChild {
    const waiting = this.beginWaiting(view, start, limits);
    if (waiting !== null) return waiting;
    const bound = new BoundChild(view, start, limits, STDIO);
    bound.begin(start);
    return this.#begun(bound, view, start, limits);
  }

  /** The same where one waits; null where none does, and nothing was started. */
  beginWaiting(view: SandboxView, start: ChildStart, limits: ChildLimits): BoundChild | null {
    const { words, startedWith } = beginningOf(start, limits);
    const waiting = mayWait(words) ? this.#take(startedWith) : null;
    if (waiting === null) return null;
    waiting.begin(start, words);
    return this.#begun(waiting, view, start, limits);
  }

  #begun(bound: BoundChild, view: SandboxView, start: ChildStart, limits: ChildLimits): BoundChild {
    this.#running += 1;
    if (bound.process.pid !== undefined) bound.process.once("exit", () => (this.#running -= 1));
    else this.#running -= 1;
    // What this call waits for goes first.
    setImmediate(() => {
      const { before, words, startedWith } = beginningOf(start, limits);
      if (mayWait(words)) this.#refill(startedWith, () => new BoundChild(view, before, limits, STDIO));
    });
    return bound;
  }

  /** Ends those that wait, and lets no more do so; resolves when nothing of them is left. */
  async end(): Promise<void> {
    this.#isEnded = true;
    if (this.#rest !== null) clearTimeout(this.#rest);
    await this.#empty();
  }

  #take(startedWith: string): BoundChild | null {
    for (const waiting of this.#waiting) {
      if (waiting.startedWith !== startedWith || !waiting.bound.isIn) continue;
      this.#drop(waiting);
      if (waiting.bound.isReady) return waiting.bound;
      // Somebody has stopped it, or taken it out of its groups.
      waiting.bound.kill();
    }
    return null;
  }

  /** Where as many run as there are processors, each new one would only take from them. */
  #refill(startedWith: string, start: () => BoundChild): void {
    if (this.#isEnded || this.#running > availableParallelism()) return;
    this.#rest ??= setTimeout(() => void this.#empty(), REST_MS).unref();
    this.#rest.refresh();
    const other = this.#waiting.find((waiting) => waiting.startedWith !== startedWith);
    if (this.#waiting.length >= WAITING_MAX) {
      if (other === undefined) return;
      this.#drop(other);
      other.bound.kill();
    }
    try {
      const waiting = { bound: start(), startedWith };
      // What cannot be started is told to the call that would have used it.
      waiting.bound.process.on("error", () => this.#drop(waiting)).once("exit", () => this.#drop(waiting));
      this.#waiting = [...this.#waiting, waiting];
    } catch {
      // The same.
    }
  }

  #drop(dropped: Waiting): void {
    this.#waiting = this.#waiting.filter((waiting) => waiting !== dropped);
  }

  async #empty(): Promise<void> {
    const emptied = this.#waiting;
    this.#waiting = [];
    for (const { bound } of emptied) bound.kill();
    await Promise.all(emptied.map(({ bound }) => bound.ended));
  }
}

/** What it is started with, which others may share, and the words of its call. */
function beginningOf(start: ChildStart, limits: ChildLimits): Beginning {
  const at = start.args.length - start.words;
  const before = { ...start, args: start.args.slice(0, at) };
  return { before, words: start.args.slice(at), startedWith: JSON.stringify([before.program, before.args, limits]) };
}

const mayWait = (words: readonly string[]): boolean => words.length > 0 && canBeTold(words);
