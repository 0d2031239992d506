/**
 * What one session may add to the journal, and all sessions together by calls that are refused. Pure:
 * time comes in as a value.
 */
import { LIMITS } from "@femtoclaw/protocol";
import type { Problem } from "./verdict.ts";

export interface BucketLimits {
  /** What the bucket holds at the most. */
  readonly size: number;
  readonly perSecond: number;
}

/** Holds tokens, such as bytes that may be recorded; is full at first and fills again with time. */
export class TokenBucket {
  readonly #limits: BucketLimits;
  #tokens: number;
  #atUs: number;

  constructor(limits: BucketLimits, nowUs: number) {
    this.#limits = limits;
    this.#tokens = limits.size;
    this.#atUs = nowUs;
  }

  /** What it holds; less than nothing after something was spent that was larger than what was left. */
  held(nowUs: number): number {
    const filled = this.#tokens + (Math.max(nowUs - this.#atUs, 0) * this.#limits.perSecond) / 1_000_000;
    return Math.min(filled, this.#limits.size);
  }

  /** Takes so many or none at all. */
  take(tokens: number, nowUs: number): boolean {
    if (this.held(nowUs) < tokens) return false;
    this.spend(tokens, nowUs);
    return true;
  }

  /** Puts in so many, up to what it holds at the most. */
  put(tokens: number, nowUs: number): void {
    this.#tokens = Math.min(this.held(nowUs) + tokens, this.#limits.size);
    this.#atUs = Math.max(nowUs, this.#atUs);
  }

  /** Takes so many in any case. */
  spend(tokens: number, nowUs: number): void {
    this.#tokens = this.held(nowUs) - tokens;
    this.#atUs = Math.max(nowUs, this.#atUs);
  }
}

/** What all sessions share: records of refused calls and of sessions that were halted for them. */
export function refusalShare(nowUs: number): TokenBucket {
  return new TokenBucket({ size: LIMITS.refusalBytes, perSecond: LIMITS.refusalBytesPerSecond }, nowUs);
}

/**
 * What becomes of a refusal: it gets a record of its own, it is only counted, or it halts its session,
 * with one record that stands for all of its refusals from here on.
 */
export type RefusalVerdict = "record" | "count" | "halt";

export class SessionQuota {
  readonly #share: TokenBucket;
  readonly #all: TokenBucket;
  readonly #refusals: TokenBucket;
  readonly #newcomers: TokenBucket;
  readonly #merit: TokenBucket;
  #recorded = 0;
  #isHalted = false;

  /** `newcomers` is what the session shares with others that have earned nothing yet. */
  constructor(share: TokenBucket, nowUs: number, newcomers: TokenBucket) {
    this.#share = share;
    this.#newcomers = newcomers;
    this.#all = new TokenBucket({ size: LIMITS.sessionBytes, perSecond: LIMITS.sessionBytesPerSecond }, nowUs);
    const { sessionRefusalBytes: size, sessionRefusalBytesPerSecond: perSecond } = LIMITS;
    this.#refusals = new TokenBucket({ size, perSecond }, nowUs);
    this.#merit = new TokenBucket({ size, perSecond: 0 }, nowUs);
    this.#merit.spend(size, nowUs);
  }

  /** A call of the session ended well. */
  earn(nowUs: number): void {
    this.#merit.put(LIMITS.meritBytesPerCall, nowUs);
  }

  /** Bytes of refusals that the session has earned and not used. */
  merit(nowUs: number): number {
    return this.#merit.held(nowUs);
  }

  /** Refusals that got a record of their own. */
  get recorded(): number {
    return this.#recorded;
  }

  /** Why a further call is not taken; null while calls are. */
  problem(nowUs: number): Problem | null {
    if (this.#isHalted) {
      return { code: "FEMTO_SESSION_HALTED", reason: "too many calls of this session were refused" };
    }
    if (this.#all.held(nowUs) > 0) return null;
    return { code: "FEMTO_SESSION_QUOTA", reason: "this session has recorded its share of the journal" };
  }

  /** Counts what the session leaves in the journal. */
  spend(bytes: number, nowUs: number): void {
    this.#all.spend(bytes, nowUs);
  }

  // INVARIANT: I9: a refusal costs its session, what the session has earned or else what all newcomers share, and
  // the share of all sessions, so that a new connection is no way to more of the journal. Permitted calls use none.
  refuse(bytes: number, nowUs: number): RefusalVerdict {
    if (this.#isHalted) return "count";
    this.#isHalted = !this.#refusals.take(bytes, nowUs);
    const isPaid = this.#merit.take(bytes, nowUs) || this.#newcomers.take(bytes, nowUs);
    if (!isPaid && !this.#isHalted) return "count";
    if (!this.#share.take(bytes, nowUs)) return "count";
    if (this.#isHalted) return "halt";
    this.#recorded += 1;
    return "record";
  }
}
