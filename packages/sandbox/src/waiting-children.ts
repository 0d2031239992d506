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

export class WaitingChildren {
  #waiting: readonly Waiting[] = [];
  #running = 0;
  #isEnded = false;
  #rest: NodeJS.Timeout | null = null;

  /** The child of a call, begun: one that waits, or a new one. Throws as `startChild` does. */
  begin(view: SandboxView, start: ChildStart, limits: ChildLimits): BoundChild {
    const at = start.args.length - start.words;
    const words = start.args.slice(at);
    const mayWait = start.words > 0 && canBeTold(words);
    const before = { ...start, args: start.args.slice(0, at) };
    const startedWith = JSON.stringify([before.program, before.args, limits]);
    const waiting = mayWait ? this.#take(startedWith) : null;
    const bound = waiting ?? new BoundChild(view, start, limits, STDIO);
    bound.begin(start, waiting === null ? [] : words);
    this.#running += 1;
    if (bound.process.pid !== undefined) bound.process.once("exit", () => (this.#running -= 1));
    else this.#running -= 1;
    // What this call waits for goes first.
    if (mayWait) setImmediate(() => this.#refill(startedWith, () => new BoundChild(view, before, limits, STDIO)));
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
