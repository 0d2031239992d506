/** The fold of recorded history: the same from every snapshot on, and refused when history cannot have happened. */
import { FemtoError, type TypedRecord } from "@femtoclaw/protocol";
import { Projection, replay } from "@femtoclaw/runtime";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { recover } from "../../src/boot/recovery.ts";
import { ofType } from "../runtime-fixture.ts";
import { type RecordedHistory, readerOf, recordHistory } from "./recorded-history.ts";

let history: RecordedHistory;
let records: readonly TypedRecord[];

beforeAll(async () => {
  history = await recordHistory();
  records = history.records;
});

function fold(list: readonly TypedRecord[], start = new Projection()): Projection {
  for (const record of list) start.apply(record);
  return start;
}

/** What a snapshot says, as the disk gives it back. */
const stored = (projection: Projection) => JSON.parse(JSON.stringify(projection.snapshot()));

function refusal(list: readonly TypedRecord[]): string | undefined {
  try {
    fold(list);
    return undefined;
  } catch (error) {
    if (error instanceof FemtoError) return error.code;
    throw error;
  }
}

/** The records with gapless numbers, and with what they say of each other's numbers put right. */
function renumbered(list: readonly TypedRecord[]): TypedRecord[] {
  const places = new Map(list.map(({ seq }, place) => [seq, place]));
  return list.map((record, seq) => {
    const body = "intent" in record.body ? { ...record.body, intent: places.get(record.body.intent) } : record.body;
    return { ...record, seq, body } as TypedRecord;
  });
}

describe("the recorded history", () => {
  it("has records of every kind that a runtime writes by itself", () => {
    const types = new Set(records.map(({ type }) => type));
    for (const type of [
      "execution.interrupted",
      "overload.refused",
      "observability.changed",
      "snapshot.taken",
    ] as const) {
      expect(types, type).toContain(type);
    }
    expect(records.length).toBeGreaterThan(400);
    expect(history.snapshots.length).toBeGreaterThan(15);
    expect(ofType(records, "boot.started").map(({ body }) => body.previous_end)).toEqual(["none", "crash", "clean"]);
    expect(ofType(records, "execution.interrupted")).toHaveLength(3);
  });

  it("gives the same state from every record on, whether it is folded whole or from a snapshot there", () => {
    const whole = new Projection();
    const from: Projection[] = [];
    for (const record of records) {
      whole.apply(record);
      for (const restored of from) restored.apply(record);
      const expected = stored(whole);
      // A restored state is compared for as long as it is folded on, some of them to the end.
      for (const restored of from.slice(-40)) expect(stored(restored)).toEqual(expected);
      from.push(Projection.restore(record.seq, stored(whole)));
      if (from.length > 60) from.splice(20, 1);
    }
    for (const restored of from) {
      expect(stored(restored)).toEqual(stored(whole));
      expect(restored.size).toBe(whole.size);
      expect(restored.phase).toBe(whole.phase);
    }
  });

  it("gives every stored snapshot when it is replayed, and stops where it is told", async () => {
    const { projection, snapshotsEqual } = await replay(readerOf(history));
    expect(snapshotsEqual).toBe(history.snapshots.length);
    expect(stored(projection)).toEqual(stored(fold(records)));
    const half = Math.floor(records.length / 2);
    const replayed = await replay(readerOf(history), { to: half });
    expect(stored(replayed.projection)).toEqual(stored(fold(records.slice(0, half + 1))));
  });

  it("is counted as it reads", () => {
    const { counters, host, open } = fold(records);
    const outcomes = ofType(records, "execution.outcome");
    expect(counters).toEqual({
      messages: ofType(records, "message.recorded").length,
      refused: ofType(records, "execution.refused").length,
      completed: outcomes.filter(({ body }) => body.event === "succeeded").length,
      failed: outcomes.filter(({ body }) => body.event !== "succeeded").length,
      interrupted: 3,
      overloaded: ofType(records, "overload.refused").reduce((sum, { body }) => sum + body.count, 0),
    });
    expect(open.size).toBe(0);
    expect(host).toMatchObject({ boots: 3, running: 0, ended: "crash" });
  });

  it("is folded from the newest snapshot that fits, and from the beginning when none does", async () => {
    const newest = history.snapshots.at(-1);
    const recovered = await recover(readerOf(history));
    expect(recovered).toMatchObject({ snapshot: newest?.seq, tail: records.length - (newest?.seq ?? 0) - 1 });
    expect(stored(recovered.projection)).toEqual(stored(fold(records)));
    for (const change of [{ version: "0" }, undefined]) {
      const old = history.snapshots.map((snapshot) => {
        const { policy, ...others } = snapshot.actors;
        const changed = change === undefined || policy === undefined ? {} : { policy: { ...policy, ...change } };
        return { ...snapshot, actors: { ...others, ...changed } };
      });
      const again = await recover(readerOf({ records, snapshots: old }));
      expect(again).toMatchObject({ snapshot: null, tail: records.length });
      expect(stored(again.projection)).toEqual(stored(fold(records)));
    }
  });

  it("convicts a snapshot that says something else", async () => {
    const snapshots = structuredClone([...history.snapshots]);
    const forged = snapshots[5];
    Object.assign(forged?.actors["executions"]?.state ?? {}, { counters: { completed: 1_000_000 } });
    await expect(replay(readerOf({ records, snapshots }))).rejects.toMatchObject({
      code: "FEMTO_JOURNAL_CORRUPT",
      message: `the snapshot after record ${forged?.seq} differs in \`executions\``,
    });
  });
});

describe("a history of which somebody", () => {
  const place = fc.nat().map((index) => index % records.length);

  it("dropped a record is refused", () => {
    fc.assert(
      fc.property(place, (at) => {
        fc.pre(at < records.length - 1);
        expect(refusal([...records.slice(0, at), ...records.slice(at + 1)])).toBe("FEMTO_JOURNAL_CORRUPT");
      }),
    );
  });

  it("wrote a record twice is refused", () => {
    fc.assert(
      fc.property(place, place, (at, to) => {
        const copy = records[at];
        if (copy === undefined) return;
        expect(refusal([...records.slice(0, to), copy, ...records.slice(to)])).toBe("FEMTO_JOURNAL_CORRUPT");
      }),
    );
  });

  it("swapped or shuffled records is refused", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...records], { minLength: records.length }), (shuffled) => {
        fc.pre(shuffled.some(({ seq }, index) => seq !== index));
        expect(refusal(shuffled)).toBe("FEMTO_JOURNAL_CORRUPT");
      }),
      { numRuns: 30 },
    );
  });

  it("dropped a record that others rest on is refused, also when the rest was numbered anew", () => {
    // What stands alone (a message, a refusal, a session, a snapshot) is for the proofs of the log to miss.
    const bearing = records
      .slice(0, -20)
      .filter(
        ({ type }) =>
          ["boot.started", "lifecycle.changed", "registry.loaded", "policy.activated"].includes(type) ||
          ["observability.started", "execution.intent", "execution.interrupted"].includes(type),
      );
    fc.assert(
      fc.property(fc.constantFrom(...bearing), ({ seq, type }) => {
        const rest = renumbered(records.filter((record) => record.seq !== seq));
        expect(refusal(rest), `${seq} ${type}`).toBe("FEMTO_JOURNAL_CORRUPT");
      }),
      { numRuns: 200 },
    );
  });

  it("put an outcome before its intent is refused, also when all was numbered anew", () => {
    fc.assert(
      fc.property(fc.constantFrom(...ofType(records, "execution.outcome")), ({ seq, body }) => {
        const swapped = [...records];
        [swapped[seq], swapped[body.intent]] = [records[body.intent] as TypedRecord, records[seq] as TypedRecord];
        expect(refusal(renumbered(swapped))).toBe("FEMTO_JOURNAL_CORRUPT");
      }),
      { numRuns: 50 },
    );
  });
});
