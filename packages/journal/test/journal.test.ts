import { FemtoError, LIMITS, type TypedRecord } from "@femtoclaw/protocol";
import { MemoryDisk, MemoryKeyring, MemoryStore } from "@femtoclaw/testing/in-memory";
import { describe, expect, it, vi } from "vitest";
import { checkJournal, Journal, type JournalOptions } from "../src/index.ts";
import { snapshotName } from "../src/records/object-name.ts";
import {
  CountingProjector,
  collect,
  countingClock,
  MACHINES,
  message,
  recordsOf,
  storedTexts,
} from "./journal-fixture.ts";

type Options = Partial<JournalOptions> & { readonly disk?: MemoryDisk };

/** The keys that belong to a disk, as they would stand beside it. */
const KEYRINGS = new WeakMap<MemoryDisk, MemoryKeyring>();

async function openJournal(options: Options = {}): Promise<{ journal: Journal; store: MemoryStore; disk: MemoryDisk }> {
  const disk = options.disk ?? new MemoryDisk();
  const store = new MemoryStore(disk);
  const keyring = KEYRINGS.get(disk) ?? new MemoryKeyring();
  KEYRINGS.set(disk, keyring);
  const journal = await Journal.open({
    store,
    keyring,
    boot: "boot-1",
    clock: countingClock(),
    machines: MACHINES,
    ...options,
  });
  return { journal, store, disk };
}

function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

describe("Journal", () => {
  it("writes what it was told, and reads it back both ways", async () => {
    const { journal } = await openJournal();
    const appended = await Promise.all(["a", "b", "c"].map((content) => journal.append(message(content, "e1"))));
    expect(appended.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    const [created, ...records] = await recordsOf(journal);
    expect(created?.type).toBe("log.created");
    expect(records).toEqual(appended.map(({ record }) => record));
    expect(records.map(({ body }) => body)).toEqual([{ content: "a" }, { content: "b" }, { content: "c" }]);
    expect(await collect(journal.readBackwards(1, 99))).toEqual(records.toReversed());
    expect(await collect(journal.read(2, 3))).toEqual([records[1]]);
    expect(await journal.locate("e1")).toEqual([1, 2, 3]);
    expect(journal.size).toBe(4);
    expect((await checkJournal(journal)).fault).toBeNull();
    await journal.close();
  });

  it("keeps the order of 1,000 concurrent appends, in promises, listeners and storage", async () => {
    const { journal } = await openJournal();
    const resolved: number[] = [];
    const heard: number[] = [];
    journal.onCommitted((records) => heard.push(...records.map(({ seq }) => seq)));
    const contents = Array.from({ length: 1_000 }, (_, index) => String(index));
    await Promise.all(
      contents.map(async (content) => {
        resolved.push((await journal.append(message(content))).seq);
      }),
    );
    const numbers = contents.map((content) => Number(content) + 1);
    expect(resolved).toEqual(numbers);
    expect(heard).toEqual(numbers);
    expect((await recordsOf(journal)).slice(1).map(({ body }) => body)).toEqual(
      contents.map((content) => ({ content })),
    );
  });

  it("resolves nothing before the disk has it, and gathers what arrives meanwhile", async () => {
    const { journal, store, disk } = await openJournal();
    const slow = gate();
    store.inject({ kind: "slow", until: slow.opened });
    let first = false;
    const waiting = journal.append(message("first")).then(() => {
      first = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    const later = [journal.append(message("second")), journal.append(message("third"))];
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([first, journal.size, disk.records.length]).toEqual([false, 1, 1]);
    slow.open();
    await Promise.all([waiting, ...later]);
    expect([first, journal.size, disk.records.length]).toEqual([true, 4, 4]);
  });

  it("splits what waits into groups of bounded length", async () => {
    const { journal, store } = await openJournal();
    const append = vi.spyOn(store, "append");
    await Promise.all(Array.from({ length: 2_500 }, () => journal.append(message("x"))));
    expect(append.mock.calls.map(([group]) => group.records.length)).toEqual([1_024, 1_024, 452]);
    append.mockClear();
    await Promise.all(Array.from({ length: 5 }, () => journal.append(message("x".repeat(3 << 20)))));
    expect(append.mock.calls.map(([group]) => group.records.length)).toEqual([2, 2, 1]);
  });

  it("refuses what the queue cannot hold, and goes on", async () => {
    const { journal, store } = await openJournal();
    const slow = gate();
    store.inject({ kind: "slow", until: slow.opened });
    const waiting = Array.from({ length: LIMITS.journalQueueRecords }, () => journal.append(message("x")));
    const refused = await Promise.allSettled([journal.append(message("too many")), journal.append(message("again"))]);
    for (const result of refused) {
      expect(result).toMatchObject({ status: "rejected", reason: { code: "FEMTO_JOURNAL_OVERLOADED" } });
    }
    slow.open();
    await Promise.all(waiting);
    expect((await journal.append(message("after"))).seq).toBe(LIMITS.journalQueueRecords + 1);
  });

  it("keeps places for outcomes, checkpoints and snapshots, and refuses these too when all are taken", async () => {
    const { journal, store } = await openJournal({
      projector: new CountingProjector(),
      snapshotEveryRecords: 1_000_000,
    });
    const slow = gate();
    store.inject({ kind: "slow", until: slow.opened });
    const ordinary = Array.from({ length: LIMITS.journalQueueRecords }, () => journal.append(message("x")));
    const early = Promise.allSettled([journal.append(message("y"))]);
    const body = { intent: 1, event: "succeeded", duration_us: 1, sandbox: null, began: true } as const;
    const outcome = { type: "execution.outcome", session: "s", execution: "e", body } as const;
    const kept: Promise<unknown>[] = [journal.snapshot(), journal.checkpoint()];
    for (let count = kept.length; count < 1_024; count += 1) kept.push(journal.append(outcome));
    const late = Promise.allSettled([journal.append(outcome), journal.snapshot(), journal.checkpoint()]);
    slow.open();
    for (const result of [...(await early), ...(await late)]) {
      expect(result).toMatchObject({ status: "rejected", reason: { code: "FEMTO_JOURNAL_OVERLOADED" } });
    }
    await Promise.all([...ordinary, ...kept]);
    expect(journal.size).toBe(1 + LIMITS.journalQueueRecords + 1_023);
  });

  it("bounds the queue in bytes too", async () => {
    const { journal, store } = await openJournal();
    const slow = gate();
    store.inject({ kind: "slow", until: slow.opened });
    const large = "x".repeat(LIMITS.resultBytes - 1_000);
    const results = Promise.allSettled(Array.from({ length: 12 }, () => journal.append(message(large))));
    slow.open();
    const statuses = (await results).map(({ status }) => status);
    expect(statuses.filter((status) => status === "rejected").length).toBeGreaterThan(2);
    expect(journal.size).toBe(1 + statuses.filter((status) => status === "fulfilled").length);
    expect((await journal.append(message("after"))).seq).toBe(journal.size - 1);
  });

  it("leaves no gap behind a record that it refuses", async () => {
    const moved = { from: "idle", to: "draining" } as const;
    const { journal } = await openJournal();
    const results = await Promise.allSettled([
      journal.append(message("a")),
      journal.append({
        type: "lifecycle.changed",
        session: null,
        execution: null,
        body: { ...moved, event: "x".repeat(LIMITS.recordBytes) },
      }),
      journal.append(message("\ud800")),
      journal.append(message("b")),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
    expect((await recordsOf(journal)).map(({ seq }) => seq)).toEqual([0, 1, 2]);
  });

  it("goes on after a listener that throws", async () => {
    const warning = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const { journal } = await openJournal();
    const heard: number[] = [];
    journal.onCommitted(() => {
      throw new Error("listener's own fault");
    });
    const end = journal.onCommitted((records) => heard.push(records.length));
    await journal.append(message("a"));
    end();
    await journal.append(message("b"));
    expect(heard).toEqual([1]);
    expect(warning).toHaveBeenCalledTimes(2);
    warning.mockRestore();
  });

  it("writes what waits when it is closed, then takes nothing more", async () => {
    const { journal, disk } = await openJournal();
    const waiting = [journal.append(message("a")), journal.append(message("b"))];
    await Promise.all([journal.close(), journal.close()]);
    await Promise.all(waiting);
    expect(disk.records).toHaveLength(3);
    await expect(journal.append(message("c"))).rejects.toMatchObject({ code: "FEMTO_JOURNAL_CLOSED" });
    expect((await openJournal({ disk })).journal.size).toBe(3);
  });
});

describe("a failing store", () => {
  it.each(["EIO", "ENOSPC"] as const)("%s closes the journal for good and is told of once", async (kind) => {
    const onFailed = vi.fn<(error: FemtoError) => void>();
    const { journal, store, disk } = await openJournal({ onFailed });
    await journal.append(message("kept"));
    store.inject({ kind });
    const waiting = Array.from({ length: 3_000 }, () => journal.append(message("lost")));
    for (const result of await Promise.allSettled(waiting)) {
      expect(result).toMatchObject({ status: "rejected", reason: { code: "FEMTO_JOURNAL_WRITE_FAILED" } });
    }
    await expect(journal.append(message("late"))).rejects.toMatchObject({ code: "FEMTO_JOURNAL_CLOSED" });
    expect(onFailed).toHaveBeenCalledTimes(1);
    expect(onFailed.mock.calls[0]?.[0]).toBeInstanceOf(FemtoError);
    expect(journal.size).toBe(2);
    await journal.close();
    const again = await openJournal({ disk, boot: "boot-2" });
    expect((await again.journal.append(message("new"))).seq).toBe(2);
    expect(await checkJournal(again.journal)).toMatchObject({ records: 3, boots: 2, fault: null });
  });

  it("is not hidden by a failure handler that throws", async () => {
    const warning = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const { journal, store } = await openJournal({
      onFailed: () => {
        throw new Error("handler's own fault");
      },
    });
    store.inject({ kind: "EIO" });
    await expect(journal.append(message("x"))).rejects.toMatchObject({ code: "FEMTO_JOURNAL_WRITE_FAILED" });
    await journal.close();
    expect(warning).toHaveBeenCalledTimes(1);
    warning.mockRestore();
  });

  it("torn by an unsound engine is read without a gap", async () => {
    const { journal, store, disk } = await openJournal();
    store.inject({ kind: "torn", recordsKept: 2 });
    const lost = await Promise.allSettled(["a", "b", "c"].map((content) => journal.append(message(content, "e1"))));
    expect(lost.every(({ status }) => status === "rejected")).toBe(true);
    await journal.close();
    const again = await openJournal({ disk });
    expect((await recordsOf(again.journal)).map(({ seq }) => seq)).toEqual([0, 1, 2]);
  });

  it("takes a projector's fault for its own", async () => {
    const projector = new CountingProjector();
    projector.apply = () => {
      throw new Error("no such state");
    };
    const { journal, disk } = await openJournal({ projector });
    await expect(journal.append(message("x"))).rejects.toMatchObject({ code: "FEMTO_JOURNAL_WRITE_FAILED" });
    await journal.close();
    expect(disk.records).toHaveLength(1);
  });
});

describe("snapshots", () => {
  it("stand right behind what they cover, vouched for by a record", async () => {
    const projector = new CountingProjector();
    const { journal } = await openJournal({ projector, snapshotEveryRecords: 4 });
    await Promise.all(Array.from({ length: 10 }, () => journal.append(message("x"))));
    const types = (await recordsOf(journal)).map(({ type }) => type);
    // The record of a snapshot counts itself: it has to be folded like any other.
    expect(types.flatMap((type, seq) => (type === "snapshot.taken" ? [seq] : []))).toEqual([4, 8, 12]);
    expect(await journal.snapshots()).toEqual([3, 7, 11]);
    expect(await journal.latestSnapshot()).toEqual({
      v: 1,
      seq: 11,
      actors: { memory: { machine: "memory", version: "1.0.0", definition: null, state: { applied: 11, last: 11 } } },
    });
    expect([0, ...projector.seqs]).toEqual(types.map((_, seq) => seq));
    expect(await checkJournal(journal)).toEqual({ records: 14, boots: 1, snapshots: 3, fault: null });
  });

  it("are taken on demand, also twice and of nothing but the first record", async () => {
    const { journal } = await openJournal({ projector: new CountingProjector() });
    expect(await journal.snapshot()).toBe(0);
    const [, covered, again] = await Promise.all([
      journal.append(message("x")),
      journal.snapshot(),
      journal.snapshot(),
    ]);
    expect([covered, again]).toEqual([2, 3]);
    expect(await checkJournal(journal)).toMatchObject({ records: 5, snapshots: 3, fault: null });
  });

  it("are due after as many records as since the last one, also over a restart", async () => {
    const disk = new MemoryDisk();
    for (const boot of ["boot-1", "boot-2", "boot-3"]) {
      const projector = new CountingProjector();
      const { journal } = await openJournal({ disk, boot, projector, snapshotEveryRecords: 5 });
      await journal.append(message("x"));
      await journal.append(message("y"));
      await journal.close();
    }
    expect([...disk.objects.keys()].filter((name) => name.startsWith("snapshot/"))).toEqual([snapshotName(4)]);
  });

  it("that were changed are passed over for an older one", async () => {
    const { journal, disk } = await openJournal({ projector: new CountingProjector(), snapshotEveryRecords: 3 });
    await Promise.all(Array.from({ length: 4 }, () => journal.append(message("x"))));
    const [older, newest] = await journal.snapshots();
    const forged = Buffer.from(disk.objects.get(snapshotName(newest ?? -1)) ?? [])
      .toString()
      .replace('"applied":5', '"applied":9');
    disk.objects.set(snapshotName(newest ?? -1), Buffer.from(forged));
    expect((await journal.latestSnapshot())?.seq).toBe(older);
    expect((await checkJournal(journal)).fault).toMatchObject({
      reason: expect.stringContaining('"memory"') as string,
    });
    disk.objects.set(snapshotName(older ?? -1), Buffer.from("{"));
    expect(await journal.latestSnapshot()).toBeNull();
  });

  it("need no listener, and fail with the write", async () => {
    const { journal, store } = await openJournal({ projector: new CountingProjector() });
    await journal.append(message("x"));
    store.inject({ kind: "EIO" });
    await expect(journal.snapshot()).rejects.toMatchObject({ code: "FEMTO_JOURNAL_WRITE_FAILED" });
    expect(await journal.snapshots().catch((error: unknown) => (error as FemtoError).code)).toBe(
      "FEMTO_JOURNAL_CLOSED",
    );
  });
});

describe("what is stored", () => {
  it("is what any reader gets, byte for byte, and what listeners were told", async () => {
    const { journal, disk } = await openJournal();
    const told: TypedRecord[] = [];
    journal.onCommitted((records) => told.push(...records));
    await Promise.all(["a", "ü", "😀"].map((content) => journal.append(message(content))));
    expect(await storedTexts(journal.readStored(1, 4))).toEqual(
      told.map((record) => `${record.seq} ${Buffer.from(JSON.stringify(record)).toString("latin1")}`),
    );
    expect(disk.records).toHaveLength(4);
  });

  it.each([
    ["a gap", (records: Uint8Array[]) => records.splice(2, 1), "record 2 calls itself 3"],
    [
      "two records that changed places",
      (records: Uint8Array[]) => records.splice(1, 2, ...records.slice(1, 3).reverse()),
      "record 1 calls itself 2",
    ],
    [
      "a record edited outside of the format",
      (records: Uint8Array[]) => records.splice(3, 1, Buffer.from("{}")),
      "does not match its schema",
    ],
    [
      "another spelling of the same record",
      (records: Uint8Array[]) => records.splice(1, 1, respelled(records[1])),
      "own way",
    ],
  ])("with %s is found", async (_, edit, reason) => {
    const { journal, disk } = await openJournal();
    await Promise.all(Array.from({ length: 6 }, (_, index) => journal.append(message(String(index)))));
    edit(disk.records);
    const check = await checkJournal(journal);
    expect(check.fault?.reason).toContain(reason);
  });

  it("that ends early is missed", async () => {
    const { journal, disk } = await openJournal();
    await Promise.all(["a", "b", "c"].map((content) => journal.append(message(content))));
    disk.records.pop();
    await expect(recordsOf(journal)).rejects.toMatchObject({
      code: "FEMTO_JOURNAL_CORRUPT",
      message: "record 3 is missing",
    });
    await expect(collect(journal.readBackwards(0, 4))).rejects.toThrow("record 3 is missing");
  });

  it.each(["first", "last"])(
    "by a later format in its %s record keeps an older FemtoClaw from opening it",
    async (at) => {
      const { journal, disk } = await openJournal();
      await journal.append(message("a"));
      await journal.close();
      const seq = at === "first" ? 0 : disk.records.length - 1;
      const text = Buffer.from(disk.records[seq] ?? []).toString();
      disk.records[seq] = Buffer.from(text.replace('"v":1', '"v":2'));
      await expect(openJournal({ disk })).rejects.toMatchObject({ code: "FEMTO_JOURNAL_FORMAT" });
      expect(disk.opened).toBe(false);
    },
  );

  it("with time running backwards or a boot that comes back is found", async () => {
    for (const edit of [/"mono_us":\d+/, /"boot":"boot-1"/]) {
      const { journal, disk } = await openJournal();
      await Promise.all(["a", "b", "c"].map((content) => journal.append(message(content))));
      const text = Buffer.from(disk.records[1] ?? []).toString();
      disk.records[1] = Buffer.from(
        text.replace(edit, edit.source.startsWith('"mono') ? '"mono_us":0' : '"boot":"boot-2"'),
      );
      const { fault } = await checkJournal(journal);
      expect(fault?.reason).toMatch(/older than the one before|had ended before/);
    }
  });
});

function respelled(bytes: Uint8Array | undefined): Buffer {
  return Buffer.from(
    Buffer.from(bytes ?? [])
      .toString()
      .replace("{", "{ "),
  );
}
