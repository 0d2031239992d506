/**
 * Children started ahead of the calls that will use them. Each has groups of its own and waits in them as nothing but
 * the shell of `joining.ts` until it is told its command. From then on it is the child of that call, as if started for
 * it.
 */
import { availableParallelism } from "node:os";
import { BoundChild } from "../children/bound-child.ts";
import type { ChildLimits } from "../children/child-limits.ts";
import type { ChildStart } from "../children/child-start.ts";
import type { SandboxView } from "../views/view.ts";
import { canBeTold } from "./joining.ts";

/** LIMIT: children that wait at once. */
const WAITING_MAX = 2;
/** LIMIT: milliseconds that they wait after the last call that could have used one. */
const REST_MS = 10_000;

/** The stdio of such calls: nothing to read, and two pipes to write to. */
const STDIO = ["ignore", "pipe", "pipe"] as const;

interface Waiting {
  readonly bound: BoundChild;
  /** Everything it was started with. INVARIANT: only a call that would be started with exactly the same takes it. */
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

  /** Whether a child waits, for whatever call. */
  get isThere(): boolean {
    return this.#waiting.length > 0;
  }

  /**
   * Begins the child of a call, which is then to be released: a waiting one or a new one. Throws as `startChild` does.
   */
  begin(view: SandboxView, start: ChildStart, limits: ChildLimits): BoundChild {
    const waiting = this.beginWaiting(view, start, limits);
    if (waiting !== null) return waiting;
    const bound = new BoundChild(view, start, limits, STDIO);
    bound.begin(start);
    return this.#begun(bound, view, start, limits);
  }

  /** Like `begin`, but with a waiting child only; null if none fits, and nothing was started then. */
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
    // Deferred, so that the call itself goes first.
    setImmediate(() => {
      const { before, words, startedWith } = beginningOf(start, limits);
      if (mayWait(words)) this.#refill(startedWith, () => new BoundChild(view, before, limits, STDIO));
    });
    return bound;
  }

  /** Kills the waiting children and allows no new ones; resolves when nothing of them is left. */
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
      // Somebody has stopped it, or moved it out of its groups.
      waiting.bound.kill();
    }
    return null;
  }

  /** If as many children run as there are processors, another one would only slow them down. */
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
      // A failure to start is reported to the call that needs a child.
      waiting.bound.process.on("error", () => this.#drop(waiting)).once("exit", () => this.#drop(waiting));
      this.#waiting = [...this.#waiting, waiting];
    } catch {
      // Reported to the call that needs a child, as above.
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

/** Splits the start into what calls may share and the words of this call. */
function beginningOf(start: ChildStart, limits: ChildLimits): Beginning {
  const at = start.args.length - start.words;
  const before = { ...start, args: start.args.slice(0, at) };
  return { before, words: start.args.slice(at), startedWith: JSON.stringify([before.program, before.args, limits]) };
}

const mayWait = (words: readonly string[]): boolean => words.length > 0 && canBeTold(words);
