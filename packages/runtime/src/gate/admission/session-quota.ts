/**
 * How much one session may add to the journal, and how much all sessions together may add by refused calls. Pure: time
 * comes in as a value.
 */
import { LIMITS } from "@femtoclaw/protocol";
import type { Problem } from "../verdict.ts";

interface BucketLimits {
  /** The most that the bucket can hold. */
  readonly size: number;
  readonly perSecond: number;
}

/** Holds tokens, such as bytes that may be recorded. It is full at first and refills over time. */
export class TokenBucket {
  readonly #limits: BucketLimits;
  #tokens: number;
  #atUs: number;

  constructor(limits: BucketLimits, nowUs: number) {
    this.#limits = limits;
    this.#tokens = limits.size;
    this.#atUs = nowUs;
  }

  /** What the bucket holds. This is negative after `spend` took more than was left. */
  held(nowUs: number): number {
    const filled = this.#tokens + (Math.max(nowUs - this.#atUs, 0) * this.#limits.perSecond) / 1_000_000;
    return Math.min(filled, this.#limits.size);
  }

  /** Takes that many tokens, or none at all. */
  take(tokens: number, nowUs: number): boolean {
    if (this.held(nowUs) < tokens) return false;
    this.spend(tokens, nowUs);
    return true;
  }

  /** Adds that many tokens, up to the size of the bucket. */
  put(tokens: number, nowUs: number): void {
    this.#tokens = Math.min(this.held(nowUs) + tokens, this.#limits.size);
    this.#atUs = Math.max(nowUs, this.#atUs);
  }

  /** Takes that many tokens in any case. */
  spend(tokens: number, nowUs: number): void {
    this.#tokens = this.held(nowUs) - tokens;
    this.#atUs = Math.max(nowUs, this.#atUs);
  }
}

/** Shared by all sessions: bytes for records of refused calls and of sessions that were halted for them. */
export function refusalShare(nowUs: number): TokenBucket {
  return new TokenBucket({ size: LIMITS.refusalBytes, perSecond: LIMITS.refusalBytesPerSecond }, nowUs);
}

/**
 * What becomes of a refusal: it gets a record of its own, it is only counted, or it halts its session with one record
 * that stands for all further refusals.
 */
type RefusalVerdict = "record" | "count" | "halt";

export class SessionQuota {
  readonly #share: TokenBucket;
  readonly #all: TokenBucket;
  readonly #refusals: TokenBucket;
  readonly #newcomers: TokenBucket;
  readonly #merit: TokenBucket;
  #recorded = 0;
  #isHalted = false;

  /** `newcomers` is shared with other sessions that have earned nothing yet. */
  constructor(share: TokenBucket, nowUs: number, newcomers: TokenBucket) {
    this.#share = share;
    this.#newcomers = newcomers;
    this.#all = new TokenBucket({ size: LIMITS.sessionBytes, perSecond: LIMITS.sessionBytesPerSecond }, nowUs);
    const { sessionRefusalBytes: size, sessionRefusalBytesPerSecond: perSecond } = LIMITS;
    this.#refusals = new TokenBucket({ size, perSecond }, nowUs);
    this.#merit = new TokenBucket({ size, perSecond: 0 }, nowUs);
    this.#merit.spend(size, nowUs);
  }

  /** Credits the session for a call that ended well. */
  earn(nowUs: number): void {
    this.#merit.put(LIMITS.meritBytesPerCall, nowUs);
  }

  /** Bytes of refusals that the session has earned and not used. */
  merit(nowUs: number): number {
    return this.#merit.held(nowUs);
  }

  /** Number of refusals that got a record of their own. */
  get recorded(): number {
    return this.#recorded;
  }

  /** Why no further call is taken; null while calls are taken. */
  problem(nowUs: number): Problem | null {
    if (this.#isHalted) {
      return { code: "FEMTO_SESSION_HALTED", reason: "too many calls of this session were refused" };
    }
    if (this.#all.held(nowUs) > 0) return null;
    return { code: "FEMTO_SESSION_QUOTA", reason: "this session has recorded its share of the journal" };
  }

  /** Counts bytes that the session adds to the journal. */
  spend(bytes: number, nowUs: number): void {
    this.#all.spend(bytes, nowUs);
  }

  // INVARIANT: I9: a refusal is charged to its session, to what the session has earned or else to what all newcomers
  // share, and to the share of all sessions. So a new connection is no way to get more of the journal. Permitted calls
  // are charged to none of these.
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
