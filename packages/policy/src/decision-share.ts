/**
 * One session's share of the remembered decisions. It belongs to its session and ends with it, so that no
 * session can push out what another one has, or learn by the time of an answer what another one asked.
 */
import type { Verdict } from "./decision.ts";

/** What the engine said of one call; whether that asks an operator is worked out anew each time. */
type Decision = Verdict["decision"];

/**
 * LIMIT: characters that a share holds in keys and rule identifiers, 64 KiB at most; some two hundred
 * ordinary decisions. Two sockets full of sessions hold 32 MiB.
 */
const SHARE_CHARS = 32_768;
/** LIMIT: characters of one decision, so that a few large calls do not take a whole share. */
const ENTRY_CHARS = 4_096;
/** What an entry costs beside its texts. */
const ENTRY_OVERHEAD_CHARS = 64;

interface Entry {
  readonly decision: Decision;
  readonly chars: number;
}

/**
 * Decisions of one session that may come again, the least recently used of which go first. It makes a decision faster,
 * and never another one.
 */
export class DecisionShare {
  /** The least recently used stands first. */
  readonly #entries = new Map<string, Entry>();
  #origin: object | null = null;
  #chars = 0;

  /** The decision that was made on this very call by this origin: one revision in one instance of the engine. */
  recall(origin: object, key: string): Decision | undefined {
    if (origin !== this.#origin) return undefined;
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.decision;
  }

  /** Remembers a decision; one that is too large is left out. */
  keep(origin: object, key: string, decision: Decision): void {
    // Whoever got the answer holds the same object, and may not change what the next one is told.
    Object.freeze(decision.rules);
    Object.freeze(decision);
    // INVARIANT: a decision is remembered no longer than its revision and the instance that made it are in use.
    if (origin !== this.#origin) this.#begin(origin);
    const chars = ENTRY_OVERHEAD_CHARS + key.length + decision.rules.reduce((sum, { length }) => sum + length, 0);
    if (chars > ENTRY_CHARS || this.#entries.has(key)) return;
    this.#entries.set(key, { decision, chars });
    this.#chars += chars;
    for (const [oldest, entry] of this.#entries) {
      if (this.#chars <= SHARE_CHARS) return;
      this.#entries.delete(oldest);
      this.#chars -= entry.chars;
    }
  }

  #begin(origin: object): void {
    this.#entries.clear();
    this.#chars = 0;
    this.#origin = origin;
  }
}
