/** What one turn of an agent may use, and why it ended. */

/** What one turn may use. */
export interface Budget {
  /** Calls that are proposed; 50 by default. */
  readonly calls: number;
  /**
   * Tokens in and out as the provider counts them, but at least as many as its texts amount to; a million by default.
   */
  readonly tokens: number;
  /** Milliseconds; 15 minutes by default. */
  readonly ms: number;
}

/** The budget of an agent for which none is given. */
export const DEFAULT_BUDGET: Budget = { calls: 50, tokens: 1_000_000, ms: 900_000 };

/** Characters per token at most, for providers that count no tokens, or too few. */
const CHARS_PER_TOKEN = 8;

/**
 * Why a turn ended. `answered`: the model had no more calls. `calls`, `tokens` and `time`: the budget is used up.
 * `context`: not even the newest turn fits into the context any more. `model`: no usable answer came. `host`: it
 * accepts no more calls.
 */
export type Stop =
  | { readonly kind: "answered" | "calls" | "tokens" | "time" | "cancelled" | "context" }
  | { readonly kind: "model" | "host"; readonly reason: string; readonly fix: string };

/** What a turn used. */
export interface Used {
  readonly calls: number;
  readonly tokens: number;
}

/** INVARIANT: I9: a provider that reports no tokens, or too few, is charged for the length of its texts. */
export function tokensOf(reported: number | undefined, chars: number): number {
  const least = Math.ceil(chars / CHARS_PER_TOKEN);
  return reported !== undefined && Number.isFinite(reported) ? Math.max(reported, least) : least;
}
