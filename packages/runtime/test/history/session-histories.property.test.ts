/** Histories as a fold: bounded, the same from everywhere, and held against what intents say of them. */
import { LIMITS, type TypedRecord } from "@femtoclaw/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Projection } from "../../src/projection/projection.ts";
import { SessionHistories } from "../../src/projection/session-histories.ts";
import { Barrier, call, capability, recordsOf, temporaryHome } from "../runtime-fixture.ts";
import { codeOf, GUARDED, guardedHome, READ_SECRET, RUN } from "./history-fixture.ts";

const MOMENT = { nowUs: Date.parse("2026-01-01T00:01:00Z") * 1_000, monotonicUs: 0 };
const ACTOR = { principal: "default", agent: null, channel: "agent", delegation: null } as const;
const SESSIONS = ["a", "b", "c"] as const;

/** Just the fields that the fold looks at. */
function recordOf(seq: number, type: string, session: string | null, execution: string | null, body: object) {
  const frame = { seq, boot: "boot", at: "2026-01-01T00:00:00.000000Z", mono_us: 0, actor: ACTOR };
  return { ...frame, type, session, execution, body } as unknown as TypedRecord;
}

const steps = fc.array(
  fc.record({
    session: fc.constantFrom(...SESSIONS),
    kind: fc.constantFrom("open", "close", "halt", "refuse", "intent", "outcome", "interrupt", "boot"),
    bytes: fc.nat(2 ** 40),
    marks: fc.subarray(["read_secret", "seen_untrusted"]),
    event: fc.constantFrom("succeeded", "failed"),
  }),
  { maxLength: 80 },
);

function recordsFrom(list: readonly (typeof steps extends fc.Arbitrary<infer Steps> ? Steps : never)[number][]) {
  const running: { session: string; execution: string }[] = [];
  return list.flatMap(({ session, kind, bytes, marks, event }, seq): TypedRecord[] => {
    if (kind === "open") return [recordOf(seq, "session.opened", session, null, { history: 1 })];
    if (kind === "close") return [recordOf(seq, "session.closed", session, null, { executions: 0 })];
    if (kind === "halt") return [recordOf(seq, "session.halted", session, null, { recorded: 0, code: "C" })];
    if (kind === "refuse") return [recordOf(seq, "execution.refused", session, `e${seq}`, {})];
    if (kind === "boot") return [recordOf(seq, "boot.started", null, null, {})];
    if (kind === "intent") {
      running.push({ session, execution: `e${seq}` });
      return [recordOf(seq, "execution.intent", session, `e${seq}`, { bytes, reserved_bytes: bytes, marks })];
    }
    const ended = running.shift();
    if (ended === undefined) return [];
    const type = kind === "outcome" ? "execution.outcome" : "execution.interrupted";
    return [recordOf(seq, type, ended.session, ended.execution, { event, bytes })];
  });
}

describe("histories", () => {
  it("are the same whether folded whole or gone on with from any stored state", () => {
    fc.assert(
      fc.property(steps, fc.nat(80), (list, at) => {
        const records = recordsFrom(list);
        const whole = new SessionHistories();
        for (const record of records) whole.apply(record);
        const first = new SessionHistories();
        for (const record of records.slice(0, at)) first.apply(record);
        const stored = JSON.parse(JSON.stringify(first.state)) as typeof first.state;
        const rest = new SessionHistories(stored);
        for (const record of records.slice(at)) rest.apply(record);
        expect(JSON.stringify(rest.state)).toBe(JSON.stringify(whole.state));
      }),
    );
  });

  it("only ever grow in what a policy may forbid for, but for bytes that were reserved", () => {
    fc.assert(
      fc.property(steps, (list) => {
        const histories = new SessionHistories();
        let before = histories.facts("a", "default", MOMENT);
        for (const record of recordsFrom(list)) {
          histories.apply(record);
          const after = histories.facts("a", "default", MOMENT);
          for (const count of ["calls", "failures", "refusals"] as const)
            expect(after[count]).toBeGreaterThanOrEqual(before[count]);
          expect(Number.isSafeInteger(after.bytes) && after.bytes >= 0).toBe(true);
          expect(histories.settledBytes("a")).toBeGreaterThanOrEqual(0);
          if (before.has_read_secret) expect(after.has_read_secret).toBe(true);
          if (before.has_seen_untrusted) expect(after.has_seen_untrusted).toBe(true);
          before = after;
        }
      }),
    );
  });

  it("of sessions that ended are as many as the limit, and what is forgotten does not begin anew", async () => {
    const histories = new SessionHistories();
    for (let n = 0; n < LIMITS.endedSessions + 500; n += 1) {
      histories.apply(recordOf(2 * n, "session.opened", `s${n}`, null, { history: 1 }));
      histories.apply(recordOf(2 * n + 1, "session.closed", `s${n}`, null, { executions: 0 }));
    }
    expect(Object.keys(histories.state.ended)).toHaveLength(LIMITS.endedSessions);
    expect([histories.of("s0"), histories.of("s500")]).toMatchObject([undefined, { calls: 0 }]);
  });

  it("begin with the first version that has any, so that logs without are as they were", () => {
    const histories = new SessionHistories();
    histories.apply(recordOf(0, "session.opened", "a", null, {}));
    histories.apply(recordOf(1, "execution.intent", "a", "e1", {}));
    histories.apply(recordOf(2, "execution.outcome", "a", "e1", { event: "failed" }));
    expect(histories.isEmpty).toBe(true);
  });
});

describe("an intent", () => {
  it("whose history is not that of the records before it is no part of history", async () => {
    const home = guardedHome();
    const runtime = await home.start({ configuration: { ...GUARDED, after_secret: {} } });
    const session = runtime.openSession({ channel: "agent" });
    for (const message of [READ_SECRET, RUN, call("nobody"), RUN]) await codeOf(session, message);
    const records = await recordsOf(runtime.reader);
    await runtime.close();
    const last = records.findLast(({ type }) => type === "execution.intent");
    const lies: object[] = [{ has_read_secret: false }, { has_seen_untrusted: true }, { calls: 0 }, { bytes: 0 }];
    for (const lie of [...lies, { refusals: 9 }, null]) {
      const told = records.map((record) => {
        if (record !== last || record.type !== "execution.intent") return record;
        const { history, ...facts } = record.body.facts ?? { questions: [] };
        const changed = lie === null ? facts : { ...facts, history: { ...history, ...lie } };
        return { ...record, body: { ...record.body, facts: changed } } as TypedRecord;
      });
      const fold = (): void => {
        const projection = new Projection();
        for (const record of told) projection.apply(record);
      };
      expect(fold, JSON.stringify(lie)).toThrow(/records say|tells no history/);
    }
  });

  it("is not written for a session that left and was forgotten since: its counts would begin anew", async () => {
    const [barrier, began] = [new Barrier(1), [] as string[]];
    const waits = capability("waits", async () => {
      await barrier.arrive();
      return {};
    });
    const counted = capability("counted", () => ({ n: began.push("counted") }));
    const configuration = { limits: { concurrency: 1 } };
    const runtime = await temporaryHome().start({ capabilities: [waits, counted], configuration });
    const session = runtime.openSession({ channel: "agent" });
    const running = session.propose(call("waits"));
    await barrier.reached;
    const waiting = session.propose(call("counted"));
    session.close();
    for (let n = 0; n < LIMITS.endedSessions + 64; n += 64) {
      const others = Array.from({ length: 64 }, async () => {
        await using other = runtime.openSession({ channel: "agent" });
        await other.propose({ message: { content: "hello" } });
      });
      await Promise.all(others);
    }
    expect(runtime.projection.sessions.of(session.id)).toBeUndefined();
    barrier.open();
    expect(await running).toMatchObject({ status: "completed" });
    expect(await waiting).toMatchObject({ status: "error", error: { code: "FEMTO_SESSION_HALTED" } });
    expect(began).toEqual([]);
    expect(Object.keys(runtime.projection.sessions.state.reserved)).toEqual([]);
    await runtime.close();
  });
});
