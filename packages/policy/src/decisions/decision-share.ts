/**
 * One session's share of the cached decisions. It belongs to its session and ends with it, so that no session can evict
 * another's decisions, or learn from the time of an answer what another one asked.
 */
import type { Verdict } from "./decision.ts";

/** The engine's verdict on one call. Whether an operator is asked instead is worked out anew each time. */
type Decision = Verdict["decision"];

/**
 * LIMIT: characters of keys and rule identifiers in one share, at most 64 KiB: some two hundred ordinary decisions. The
 * sessions of two full sockets hold 32 MiB.
 */
const SHARE_CHARS = 32_768;
/** LIMIT: characters of one decision, so that a few large calls do not fill a whole share. */
const ENTRY_CHARS = 4_096;
/** Characters charged for an entry in addition to its texts. */
const ENTRY_OVERHEAD_CHARS = 64;

interface Entry {
  readonly decision: Decision;
  readonly chars: number;
}

/**
 * Decisions of one session that may recur. The least recently used are evicted first. The cache makes a decision faster
 * and never a different one.
 */
export class DecisionShare {
  /** The least recently used entry comes first. */
  readonly #entries = new Map<string, Entry>();
  #origin: object | null = null;
  #chars = 0;

  /** The cached decision on this very call by this origin, which is one revision in one instance of the engine. */
  recall(origin: object, key: string): Decision | undefined {
    if (origin !== this.#origin) return undefined;
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.decision;
  }

  /** Caches a decision, unless it is too large. */
  keep(origin: object, key: string, decision: Decision): void {
    // The caller holds the same object and must not be able to change the next answer.
    Object.freeze(decision.rules);
    Object.freeze(decision);
    // INVARIANT: a decision is cached no longer than its revision and the instance that made it are in use.
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
