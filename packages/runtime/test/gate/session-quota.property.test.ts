/** What sessions may leave in the journal, over all sequences of calls and pauses. */
import { LIMITS } from "@femtoclaw/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newcomersShare } from "../../src/gate/admission/door.ts";
import { refusalShare, SessionQuota, TokenBucket } from "../../src/gate/admission/session-quota.ts";

const SECOND_US = 1_000_000;
const RECORD_BYTES_MAX = 65_536;

/** Pauses before calls whose records have so many bytes; clocks may stand still. */
const calls = fc.array(
  fc.record({
    pauseUs: fc.oneof(fc.constant(0), fc.nat(SECOND_US), fc.nat(600 * SECOND_US)),
    bytes: fc.oneof(fc.integer({ min: 400, max: 3_000 }), fc.integer({ min: 1, max: RECORD_BYTES_MAX })),
    session: fc.nat(5),
  }),
  { maxLength: 300 },
);

describe("a bucket", () => {
  it("gives no more than it held at first and what flowed in since", () => {
    const limits = fc.record({ size: fc.integer({ min: 1, max: 100_000 }), perSecond: fc.nat(10_000) });
    fc.assert(
      fc.property(limits, calls, (given, list) => {
        const bucket = new TokenBucket(given, 0);
        let [nowUs, taken] = [0, 0];
        for (const { pauseUs, bytes } of list) {
          nowUs += pauseUs;
          if (bucket.take(bytes, nowUs)) taken += bytes;
          expect(taken).toBeLessThanOrEqual(given.size + (nowUs * given.perSecond) / SECOND_US + 1e-6);
          expect(bucket.held(nowUs)).toBeLessThanOrEqual(given.size);
          expect(bucket.held(nowUs)).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });

  it("is whole again after a while, whatever was taken, and a clock that goes back gives nothing", () => {
    fc.assert(
      fc.property(calls, fc.nat(1_000_000), (list, debt) => {
        const limits = { size: 10_000, perSecond: 100 };
        const bucket = new TokenBucket(limits, 0);
        let nowUs = 0;
        for (const { pauseUs, bytes } of list) {
          nowUs += pauseUs;
          bucket.take(bytes, nowUs);
        }
        bucket.spend(debt, nowUs);
        const held = bucket.held(nowUs);
        expect(bucket.held(nowUs - SECOND_US)).toBe(held);
        const wholeUs = nowUs + Math.ceil(((limits.size - held) * SECOND_US) / limits.perSecond);
        expect(bucket.held(wholeUs)).toBeCloseTo(limits.size, 6);
      }),
    );
  });
});

describe("the refusals of sessions", () => {
  it("take no more of the journal than the quota of each and the share of all, however they connect", () => {
    fc.assert(
      fc.property(calls, (list) => {
        const [share, newcomers] = [refusalShare(0), newcomersShare(0)];
        const sessions = new Map<number, { quota: SessionQuota; bytes: number; halts: number; sinceUs: number }>();
        let [nowUs, all, recorded, earned] = [0, 0, 0, 0];
        for (const { pauseUs, bytes, session } of list) {
          nowUs += pauseUs;
          // One that was halted connects anew, as whoever wants to go on does.
          if (sessions.get(session)?.quota.problem(nowUs) != null) sessions.delete(session);
          const own = sessions.get(session) ?? {
            quota: new SessionQuota(share, nowUs, newcomers),
            bytes: 0,
            halts: 0,
            sinceUs: nowUs,
          };
          sessions.set(session, own);
          if (session === 0) {
            own.quota.earn(nowUs);
            earned += LIMITS.meritBytesPerCall;
          }
          const verdict = own.quota.refuse(bytes, nowUs);
          if (verdict !== "count") all += bytes;
          if (verdict === "record") {
            own.bytes += bytes;
            recorded += bytes;
          }
          if (verdict === "halt") own.halts += 1;
          const seconds = (nowUs - own.sinceUs) / SECOND_US;
          expect(own.bytes).toBeLessThanOrEqual(
            LIMITS.sessionRefusalBytes + seconds * LIMITS.sessionRefusalBytesPerSecond + 1e-6,
          );
          expect(own.halts).toBeLessThanOrEqual(1);
          // What nobody has earned is shared, however many sessions ask for it.
          expect(recorded).toBeLessThanOrEqual(
            LIMITS.newcomerRefusalBytes + (nowUs / SECOND_US) * LIMITS.newcomerRefusalBytesPerSecond + earned + 1e-6,
          );
          expect(all).toBeLessThanOrEqual(
            LIMITS.refusalBytes + (nowUs / SECOND_US) * LIMITS.refusalBytesPerSecond + 1e-6,
          );
        }
      }),
    );
  });

  it("halt a session for good once they are more than its quota, and never one that keeps within it", () => {
    const quota = new SessionQuota(refusalShare(0), 0, newcomersShare(0));
    const within = Math.floor(LIMITS.sessionRefusalBytes / 1_024);
    for (let count = 0; count < within; count += 1) expect(quota.refuse(1_024, 0)).toBe("record");
    expect([quota.recorded, quota.problem(0)]).toEqual([within, null]);
    // At the rate at which the quota grows again it lasts for ever.
    for (let second = 1; second < 3_600; second += 1) {
      expect(quota.refuse(LIMITS.sessionRefusalBytesPerSecond, second * SECOND_US)).toBe("record");
    }
    expect(quota.refuse(1, 3_599 * SECOND_US)).toBe("halt");
    expect(quota.refuse(1, 9e9 * SECOND_US)).toBe("count");
    expect(quota.problem(9e9 * SECOND_US)).toMatchObject({ code: "FEMTO_SESSION_HALTED" });
  });

  it("of many leave another session its permitted calls, and its refusals their answer", () => {
    const share = refusalShare(0);
    while (new SessionQuota(share, 0, newcomersShare(0)).refuse(RECORD_BYTES_MAX, 0) === "record");
    const honest = new SessionQuota(share, 0, newcomersShare(0));
    expect(honest.refuse(RECORD_BYTES_MAX, 0)).toBe("count");
    expect(honest.problem(0)).toBeNull();
    for (let count = 0; count < 10_000; count += 1) honest.spend(2_000, 0);
    expect(honest.problem(0)).toBeNull();
  });
});

describe("merit", () => {
  it("is earned call by call, up to the quota, and pays where newcomers have nothing left", () => {
    const newcomers = newcomersShare(0);
    const share = refusalShare(0);
    while (new SessionQuota(share, 0, newcomers).refuse(2_048, 0) === "record");
    const [proven, fresh] = [new SessionQuota(share, 0, newcomers), new SessionQuota(share, 0, newcomers)];
    proven.earn(0);
    expect([proven.refuse(4_000, 0), proven.refuse(4_000, 0), fresh.refuse(4_000, 0)]).toEqual([
      "record",
      "count",
      "count",
    ]);
    for (let count = 0; count < 10_000; count += 1) proven.earn(0);
    expect(proven.merit(9e9)).toBe(LIMITS.sessionRefusalBytes);
    expect([proven.problem(0), fresh.problem(0)]).toEqual([null, null]);
  });
});

describe("the bytes of a session", () => {
  it("are bounded, and grow again", () => {
    const quota = new SessionQuota(refusalShare(0), 0, newcomersShare(0));
    quota.spend(LIMITS.sessionBytes - 1, 0);
    expect(quota.problem(0)).toBeNull();
    quota.spend(1, 0);
    expect(quota.problem(0)).toMatchObject({ code: "FEMTO_SESSION_QUOTA" });
    expect(quota.problem(SECOND_US)).toBeNull();
  });
});
