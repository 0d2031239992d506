/** History folded with the machines that it names: what agrees, what does not, and what cannot be said. */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { FROZEN_MACHINES, type FrozenMachine } from "@femtoclaw/machines";
import type { MachineIdentity, TypedRecord } from "@femtoclaw/protocol";
import { FrozenMachines, Projection, type Recomputation, recompute } from "@femtoclaw/runtime";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type RecordedHistory, readerOf, recordHistory } from "../projection/recorded-history.ts";

let history: RecordedHistory;
let records: readonly TypedRecord[];

beforeAll(async () => {
  history = await recordHistory();
  records = history.records;
}, 60_000);

type Change = (record: TypedRecord) => object;

/** Recomputes a history in which each record is changed; stored snapshots stay as they are, or are gone. */
function recomputed(change: Change, known?: readonly FrozenMachine[], stored = false): Promise<Recomputation> {
  const changed = records.map((record) => ({ ...record, ...change(record) }) as TypedRecord);
  const log = readerOf({ records: changed, snapshots: stored ? history.snapshots : [] });
  return recompute(log, known === undefined ? {} : { machines: new FrozenMachines(known) });
}

const unchanged: Change = () => ({});

describe("a history", () => {
  it("is recomputed to the states that the runtimes had, with stored snapshots and without", async () => {
    const folded = new Projection();
    for (const record of records) folded.apply(record);
    for (const stored of [true, false]) {
      const found = await recomputed(unchanged, undefined, stored);
      expect(found).toMatchObject({ verdict: "recomputed", divergence: null, obstacle: null, records: records.length });
      expect(found.snapshotsEqual).toBe(records.filter(({ type }) => type === "snapshot.taken").length);
      expect(found.snapshotsEqual).toBeGreaterThan(15);
      expect(found.actors).toEqual(folded.snapshot());
      expect(found.machines.map(({ id }) => id).toSorted()).toEqual(FROZEN_MACHINES.map(({ id }) => id).toSorted());
    }
  });
});
