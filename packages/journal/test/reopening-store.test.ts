/** A journal whose store opens its storage again: what a failed write may have left, and what becomes of it. */
import { type FemtoError, LIMITS, type RecordActor } from "@femtoclaw/protocol";
import { MemoryDisk, MemoryKeyring, MemoryStore, type StoreFault } from "@femtoclaw/testing/in-memory";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import {
  type CommitGroup,
  checkJournal,
  Journal,
  type JournalStore,
  type Removal,
  ReopeningStore,
  type StoredRecord,
  systemClock,
} from "../src/index.ts";
import { CountingProjector, collect, countingClock, MACHINES, message, storedTexts } from "./journal-fixture.ts";

interface Opened {
  readonly disk: MemoryDisk;
  readonly journal: Journal;
  readonly projector: CountingProjector;
  readonly store: ReopeningStore;
  readonly onFailed: ReturnType<typeof vi.fn>;
  readonly onFull: ReturnType<typeof vi.fn>;
}

async function openJournal(
  create = (disk: MemoryDisk): JournalStore => new MemoryStore(disk),
  snapshotEveryRecords = 5,
): Promise<Opened> {
  const disk = new MemoryDisk();
  const onFailed = vi.fn();
  const onFull = vi.fn(async (_: FemtoError) => undefined);
  const store = new ReopeningStore({ create: () => create(disk), clock: systemClock(), onFull });
  const projector = new CountingProjector();
  const journal = await Journal.open({
    store,
    projector,
    onFailed,
    keyring: new MemoryKeyring(),
    boot: "boot-1",
    clock: countingClock(),
    machines: MACHINES,
    snapshotEveryRecords,
  });
  onTestFinished(() => journal.close());
  return { disk, journal, projector, store, onFailed, onFull };
}

/** A store without a journal, which holds one record and one object. */
async function openedStore(create = (disk: MemoryDisk): JournalStore => new MemoryStore(disk)) {
  const disk = new MemoryDisk();
  const store = new ReopeningStore({
    create: () => create(disk),
    clock: systemClock(),
    onFull: async () => undefined,
  });
  onTestFinished(() => store.close());
  await store.open();
  const objects = [{ name: "a", bytes: text("a") }];
  await store.append({ expectedSize: 0, records: [text("0")], index: [], objects });
  return { disk, store };
}

const append = (journal: Journal, contents: readonly string[]): Promise<unknown> =>
  Promise.all(contents.map((content) => journal.append(message(content, "e1"))));

const REPAIRED: readonly (readonly StoreFault[])[] = [
  [{ kind: "EIO" }],
  [{ kind: "unanswered" }],
  [{ kind: "torn", recordsKept: 0 }],
  [{ kind: "ENOSPC" }],
  [{ kind: "ENOSPC" }, { kind: "ENOSPC" }, { kind: "ENOSPC" }],
  [{ kind: "ENOSPC" }, { kind: "unanswered" }, { kind: "ENOSPC" }],
];

describe("a failed write", () => {
  it("of a group that fills two tiles, the second by its snapshot, is found where it was stored all the same", async () => {
    const { disk, journal, onFailed } = await openJournal(undefined, 100_000);
    disk.faults.push({ kind: "unanswered" });
    const contents = Array.from({ length: 510 }, (_, index) => `m${index}`);
    await Promise.all([append(journal, contents), journal.snapshot()]);
    expect(onFailed).not.toHaveBeenCalled();
    expect(journal.size).toBe(512);
    expect(await checkJournal(journal)).toMatchObject({ records: 512, fault: null });
  });

  it.each(REPAIRED.map((faults) => ({ faults, name: faults.map(({ kind }) => kind).join(", ") })))(
    "($name) is repaired without a gap, a second record, or a change to what is read",
    async ({ faults }) => {
      const { disk, journal, projector, onFailed, onFull } = await openJournal();
      await append(journal, ["before"]);
      disk.faults.push(...faults);
      await append(journal, ["a", "b", "c", "d", "e", "f"]);
      expect(disk.faults).toEqual([]);
      await append(journal, ["after"]);
      expect(onFailed).not.toHaveBeenCalled();
      expect(onFull).toHaveBeenCalledTimes(faults.filter(({ kind }) => kind === "ENOSPC").length);
      expect(await checkJournal(journal)).toMatchObject({ records: journal.size, fault: null });
      expect([0, ...projector.seqs]).toEqual(Array.from({ length: journal.size }, (_, seq) => seq));
      const records = await collect(journal.readFrom(0));
      const contents = records.flatMap(({ body }) => ("content" in body ? [body.content] : []));
      expect(contents).toEqual(["before", "a", "b", "c", "d", "e", "f", "after"]);
      expect(await journal.locate("e1")).toHaveLength(8);
      expect(disk.records).toHaveLength(journal.size);
    },
  );

  it.each<readonly [string, StoreFault, (disk: MemoryDisk) => void]>([
    ["that left a part of its group", { kind: "torn", recordsKept: 1 }, () => undefined],
    ["that left its records without their tree", { kind: "torn", recordsKept: 3 }, () => undefined],
    ["whose lock somebody else has now", { kind: "lock" }, () => undefined],
    [
      "behind which an object is another one",
      { kind: "unanswered" },
      (disk) => {
        for (const name of disk.objects.keys()) disk.objects.set(name, Buffer.alloc(1));
      },
    ],
    [
      "behind which a record is another one",
      { kind: "unanswered" },
      (disk) => disk.records.splice(-1, 1, Buffer.alloc(1)),
    ],
    ["behind which the index is lost", { kind: "unanswered" }, (disk) => disk.index.clear()],
    ["behind which older records are gone", { kind: "EIO" }, (disk) => disk.records.splice(1, 1)],
    [
      "behind which another journal of the same length lies",
      { kind: "EIO" },
      (disk) => disk.records.splice(0, 2, Buffer.from("other 0"), Buffer.from("other 1")),
    ],
  ])("%s ends the journal, and what was acknowledged stays", async (_, fault, tamper) => {
    const { disk, journal, onFailed } = await openJournal((given) => new TamperedStore(given, tamper));
    await append(journal, ["kept"]);
    disk.faults.push(fault);
    await expect(append(journal, ["x", "y", "z"])).rejects.toMatchObject({ code: "FEMTO_JOURNAL_WRITE_FAILED" });
    expect(onFailed).toHaveBeenCalledTimes(1);
    await expect(append(journal, ["late"])).rejects.toMatchObject({ code: "FEMTO_JOURNAL_CLOSED" });
    expect(journal.size).toBe(2);
  });

  it.each(["EIO", "unanswered", "ENOSPC"] as const)(
    "(%s) of an erasure takes the value and tells of it once",
    async (kind) => {
      const { disk, journal, store } = await openJournal();
      const { seq } = await journal.append(message("x".repeat(LIMITS.recordedValueChars + 1)));
      disk.faults.push({ kind });
      const { record } = await journal.erase({ seq, reason: "ticket 12", actor: OPERATOR });
      expect(record).toMatchObject({ type: "values.erased", body: { seq } });
      expect(disk.faults).toEqual([]);
      expect(await journal.blob(seq, 0)).toBeNull();
      expect((await collect(journal.readFrom(0))).filter(({ type }) => type === "values.erased")).toHaveLength(1);
      await store.purge();
    },
  );

  it.each<readonly [string, Removal]>([
    ["an object", { objects: ["a"] }],
    ["a record", { objects: [], records: { before: 1, keep: [] } }],
  ])("behind which %s is there that was to go with it is not repaired", async (_, removal) => {
    const { disk, store } = await openedStore((given) => new ForgetfulStore(given));
    disk.faults.push({ kind: "unanswered" });
    const group = { expectedSize: 1, records: [text("1")], index: [], objects: [], removal };
    await expect(store.append(group)).rejects.toMatchObject({
      code: "FEMTO_JOURNAL_CORRUPT",
      message: expect.stringContaining("is still there") as string,
    });
  });

  it("that left a part of a group which nothing else points to is not taken for the whole", async () => {
    const { disk, store } = await openedStore();
    disk.faults.push({ kind: "torn", recordsKept: 1 });
    const group = { expectedSize: 1, records: [text("1"), text("2")], index: [], objects: [] };
    await expect(store.append(group)).rejects.toMatchObject({
      code: "FEMTO_JOURNAL_CORRUPT",
      message: expect.stringContaining("the journal holds 2") as string,
    });
  });

  it("of a pruning is repaired, with the records that it keeps", async () => {
    const { disk, store } = await openedStore();
    disk.faults.push({ kind: "unanswered" });
    const removal: Removal = { objects: ["a"], records: { before: 1, keep: [0] } };
    await store.append({ expectedSize: 1, records: [text("1")], index: [], objects: [], removal });
    expect((await collect(store.read(0, 2))).map(({ seq }) => seq)).toEqual([0, 1]);
  });

  it("on a full disk is tried once more when nobody waits for room any longer", async () => {
    const { disk, store } = await openedStore();
    store.stopWaiting();
    disk.faults.push({ kind: "ENOSPC" });
    await store.append({ expectedSize: 1, records: [text("1")], index: [], objects: [] });
    disk.faults.push({ kind: "ENOSPC" }, { kind: "ENOSPC" });
    const group = { expectedSize: 2, records: [text("2")], index: [], objects: [] };
    await expect(store.append(group)).rejects.toMatchObject({ code: "FEMTO_DISK_FULL" });
  });

  it("of a device that fails again is not repaired again", async () => {
    const { disk, journal, onFailed } = await openJournal();
    disk.faults.push({ kind: "EIO" });
    await append(journal, ["a"]);
    disk.faults.push({ kind: "EIO" });
    await expect(append(journal, ["b"])).rejects.toMatchObject({ code: "FEMTO_JOURNAL_WRITE_FAILED" });
    expect(onFailed).toHaveBeenCalledTimes(1);
  });

  it("does not disturb those who read meanwhile", async () => {
    const { disk, journal } = await openJournal((given) => new StrictStore(given));
    await append(
      journal,
      Array.from({ length: 20 }, (_, count) => `${count}`),
    );
    const before = await storedTexts(journal.readStored(0, journal.size));
    const readers = [journal.read(0, journal.size), journal.readBackwards(0, journal.size)].map((read) =>
      read[Symbol.asyncIterator](),
    );
    const begun = await Promise.all(readers.map(async (reader) => (await reader.next()).value?.seq));
    expect(begun).toEqual([0, before.length - 1]);
    disk.faults.push({ kind: "ENOSPC" }, { kind: "ENOSPC" });
    const appended = append(journal, ["new"]);
    // The storage is closed and not open again yet: what asks now waits.
    while (disk.faults.length > 0) await new Promise((resolve) => setImmediate(resolve));
    const asked = [journal.locate("e1"), journal.latestCheckpoint(), journal.latestSnapshot()];
    for (const [at, seqs] of readers.entries()) {
      // Each goes on behind what it has given out, and gives nothing out twice.
      const numbers = before.map((_, seq) => seq);
      const rest = at === 0 ? numbers.slice(1) : numbers.toReversed().slice(1);
      expect((await collect({ [Symbol.asyncIterator]: () => seqs })).map(({ seq }) => seq)).toEqual(rest);
    }
    expect(await storedTexts(journal.readStored(0, before.length))).toEqual(before);
    await Promise.all([appended, ...asked]);
  });

  it("on a full disk is tried until there is room, and what waits keeps its order", async () => {
    const { disk, journal, onFull } = await openJournal();
    disk.faults.push(...Array.from({ length: 5 }, () => ({ kind: "ENOSPC" }) as const));
    const first = append(journal, ["a"]);
    await expect.poll(() => onFull.mock.calls.length).toBeGreaterThan(1);
    const rest = append(journal, ["b", "c"]);
    await Promise.all([first, rest]);
    const records = await collect(journal.readFrom(1));
    expect(records.map(({ body }) => ("content" in body ? body.content : ""))).toEqual(["a", "b", "c"]);
  });

  it("on a disk that stays full does not keep a journal from ending", async () => {
    const { disk, journal, store, onFull } = await openJournal();
    disk.faults.push(...Array.from({ length: 1_000 }, () => ({ kind: "ENOSPC" }) as const));
    const lost = expect(append(journal, ["a"])).rejects.toMatchObject({ code: "FEMTO_JOURNAL_WRITE_FAILED" });
    await expect.poll(() => onFull).toHaveBeenCalled();
    store.stopWaiting();
    await lost;
    await journal.close();
  });

  it("is not repaired once the store is closed", async () => {
    const { disk, store, onFull } = await openJournal();
    disk.faults.push(...Array.from({ length: 1_000 }, () => ({ kind: "ENOSPC" }) as const));
    const group = { expectedSize: 1, records: [Buffer.from("x")], index: [], objects: [] };
    const lost = expect(store.append(group)).rejects.toMatchObject({
      code: expect.stringMatching(/^FEMTO_/) as string,
    });
    await expect.poll(() => onFull).toHaveBeenCalled();
    await store.close();
    await lost;
    expect(disk.opened).toBe(false);
  });
});

describe("the queue of a journal on a full disk", () => {
  it("keeps places for what has to be written, and none for what proposers send", async () => {
    const { disk, journal } = await openJournal();
    const slow = Promise.withResolvers<void>();
    disk.faults.push({ kind: "slow", until: slow.promise });
    const fill = Array.from({ length: LIMITS.journalQueueRecords }, () => journal.append(message("x")));
    await expect(journal.append(message("one more"))).rejects.toMatchObject({ code: "FEMTO_JOURNAL_OVERLOADED" });
    const overload = { type: "overload.refused", session: null, execution: null } as const;
    const kept = Array.from({ length: LIMITS.outcomes }, (_, count) =>
      journal.append({ ...overload, body: { count, code: "FEMTO_OVERLOADED" } }),
    );
    slow.resolve();
    // Snapshots are records too, so that not all of the messages found a place.
    const statuses = (await Promise.allSettled(fill)).map(({ status }) => status);
    expect(statuses).toContain("rejected");
    await Promise.all(kept);
    expect(await checkJournal(journal)).toMatchObject({ records: journal.size, fault: null });
  });
});

const text = (value: string): Buffer => Buffer.from(value);
const OPERATOR: RecordActor = { principal: "uid:0", agent: null, channel: "operator", delegation: null };

/** Loses what a group was to remove, as no sound engine does. */
class ForgetfulStore extends MemoryStore {
  override append({ removal: _, ...group }: CommitGroup): Promise<void> {
    return super.append(group);
  }
}

/** Gives out no record any more once it is closed, as a database does. */
class StrictStore extends MemoryStore {
  override async *read(fromSeq: number, toSeqExclusive: number): AsyncGenerator<StoredRecord> {
    yield* this.#whileOpen(super.read(fromSeq, toSeqExclusive));
  }

  override async *readBackwards(fromSeq: number, toSeqExclusive: number): AsyncGenerator<StoredRecord> {
    yield* this.#whileOpen(super.readBackwards(fromSeq, toSeqExclusive));
  }

  async *#whileOpen(records: AsyncIterable<StoredRecord>): AsyncGenerator<StoredRecord> {
    for await (const record of records) {
      await this.object("");
      yield record;
    }
  }
}

/** Somebody changes the storage between the failed write and the next opening. */
class TamperedStore extends MemoryStore {
  readonly #disk: MemoryDisk;
  readonly #tamper: (disk: MemoryDisk) => void;

  constructor(disk: MemoryDisk, tamper: (disk: MemoryDisk) => void) {
    super(disk);
    this.#disk = disk;
    this.#tamper = tamper;
  }

  override async close(): Promise<void> {
    if (this.#disk.records.length > 1) this.#tamper(this.#disk);
    await super.close();
  }
}
