/**
 * The contract of a journal store as a suite. An engine that passes can hold a FemtoClaw journal; it
 * runs under any test runner that has `describe` and `it`.
 */
import assert from "node:assert/strict";
import type { CommitGroup, IndexEntry, JournalStore, StoredObject, StoredRecord } from "@femtoclaw/journal";

/**
 * How storage fails: an I/O error or a full disk that leave nothing of the group, a group that is durable
 * although its write failed, a lock that somebody else took over, a sync that takes its time.
 */
export type StorageFault = "EIO" | "ENOSPC" | "unanswered" | "lock" | "slow";

/** One storage that outlives the stores that open it. */
export interface StoreFixture {
  /** A store over this storage that is not open yet. */
  store(): JournalStore;
  /** Lets the next append fail; what it returns puts the storage right. Needed where `faults` are named. */
  inject?(fault: StorageFault): () => void;
  dispose(): Promise<void>;
}

export interface JournalStoreSuiteOptions {
  readonly name: string;
  /** Makes an empty storage. */
  readonly create: () => Promise<StoreFixture>;
  /** What can be made to happen to this storage. */
  readonly faults?: readonly StorageFault[];
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: () => Promise<void>) => unknown;
}

interface Run {
  readonly store: JournalStore;
  /** Closes the store and opens another over the same storage. */
  reopen(): Promise<{ readonly store: JournalStore; readonly size: number }>;
  /** A second store over the same storage, not open yet. */
  rival(): JournalStore;
  inject(fault: StorageFault): () => void;
}

type Check = (run: Run) => Promise<void>;

export function journalStoreSuite(options: JournalStoreSuiteOptions): void {
  const { name, create, faults = [], describe, it } = options;
  describe(`journal store: ${name}`, () => {
    for (const [title, check] of Object.entries({ ...RECORDS, ...REFUSALS, ...DERIVED, ...REMOVALS })) {
      it(title, () => run(create, check));
    }
    for (const fault of faults) it(FAULTS[fault].title, () => run(create, FAULTS[fault].check));
  });
}

async function run(create: () => Promise<StoreFixture>, check: Check): Promise<void> {
  const fixture = await create();
  let store = fixture.store();
  try {
    assert.equal((await store.open()).size, 0);
    await check({
      store,
      reopen: async () => {
        await store.close();
        store = fixture.store();
        const { size } = await store.open();
        return { store, size };
      },
      rival: () => fixture.store(),
      inject: (fault) => {
        assert.ok(fixture.inject !== undefined, "a fixture with faults can inject them");
        return fixture.inject(fault);
      },
    });
  } finally {
    await store.close();
    await fixture.dispose();
  }
}

const RECORDS: Readonly<Record<string, Check>> = {
  "is empty at first": async ({ store }) => {
    assert.deepEqual(await collect(store.read(0, 100)), []);
    assert.deepEqual(await collect(store.readBackwards(0, 100)), []);
    assert.equal(await store.object("snapshot/1"), null);
    assert.deepEqual(await store.objects(""), []);
    assert.deepEqual(await store.readObjects("", "", 1), []);
    assert.equal(await store.firstObject("", ""), null);
    assert.equal(await store.lastObject(""), null);
    assert.deepEqual(await store.locate("nobody"), []);
  },
  "gives back every byte, in order, also after opening again": async ({ store, reopen }) => {
    const records = [Uint8Array.from({ length: 256 }, (_, byte) => byte), text("{}"), new Uint8Array(1)];
    await store.append(group(0, records));
    await store.append(group(3, [text("after")]));
    const expected = [...records, text("after")].map((bytes, seq) => ({ seq, bytes: Buffer.from(bytes) }));
    assert.deepEqual(await collect(store.read(0, 4)), expected);
    const again = await reopen();
    assert.equal(again.size, 4);
    assert.deepEqual(await collect(again.store.read(0, 4)), expected);
  },
  "reads any range, both ways, across the borders of groups": async ({ store }) => {
    const total = await appendNumbered(store, [1, 5, 2, 7, 1]);
    for (let from = 0; from <= total; from += 1) {
      for (let to = from; to <= total + 2; to += 1) {
        const expected = numbers(from, Math.min(to, total));
        assert.deepEqual(await numbered(store.read(from, to)), expected);
        assert.deepEqual(await numbered(store.readBackwards(from, to)), expected.toReversed());
      }
    }
  },
  "keeps the order of numbers over many groups": async ({ store, reopen }) => {
    const total = await appendNumbered(store, new Array<number>(300).fill(1));
    const again = await reopen();
    assert.equal(again.size, total);
    assert.deepEqual(await numbered(again.store.read(0, total)), numbers(0, total));
  },
  "holds a large record beside small ones": async ({ store, reopen }) => {
    const large = Buffer.alloc(4 << 20, "0123456789abcdef");
    await store.append(group(0, [text("small"), large, text("small")]));
    const [found] = await collect((await reopen()).store.read(1, 2));
    assert.ok(found !== undefined && large.equals(found.bytes));
  },
  "is not changed by a caller who reuses a buffer": async ({ store }) => {
    const bytes = text("first");
    await store.append(group(0, [bytes]));
    bytes.fill(0);
    assert.deepEqual(await collect(store.read(0, 1)), [{ seq: 0, bytes: text("first") }]);
  },
  "lets a reader stop early": async ({ store }) => {
    await appendNumbered(store, [10, 10]);
    for await (const record of store.read(0, 20)) {
      assert.equal(record.seq, 0);
      break;
    }
    await store.append(group(20, [text("20")]));
  },
};

const REFUSALS: Readonly<Record<string, Check>> = {
  "refuses a wrong expected size and stays usable": async ({ store, reopen }) => {
    await store.append(group(0, [text("0")]));
    for (const wrong of [0, 2, 1_000]) await refuses(store.append(group(wrong, [text("lost")])));
    await store.append(group(1, [text("1")]));
    const again = await reopen();
    assert.equal(again.size, 2);
    assert.deepEqual(await numbered(again.store.read(0, 10)), [0, 1]);
  },
  "lets one of two appends win that expect the same size": async ({ store }) => {
    const results = await Promise.allSettled([
      store.append(group(0, [text("a")])),
      store.append(group(0, [text("b")])),
    ]);
    assert.deepEqual(results.map((result) => result.status).sort(), ["fulfilled", "rejected"]);
    assert.equal((await collect(store.read(0, 10))).length, 1);
  },
  "belongs to one opener at a time": async ({ store, rival, reopen }) => {
    const other = rival();
    await assert.rejects(other.open(), { code: "FEMTO_JOURNAL_LOCKED" });
    await other.close();
    await store.append(group(0, [text("0")]));
    assert.equal((await reopen()).size, 1);
  },
  "refuses everything once it is closed, and closes twice": async ({ store }) => {
    await store.append(group(0, [text("0")]));
    await store.close();
    await store.close();
    await refuses(store.append(group(1, [text("1")])));
    await refuses(collect(store.read(0, 1)));
    await refuses(store.locate("a"));
    await refuses(store.object("a"));
    await refuses(store.objects("a"));
    await refuses(store.readObjects("a", "a", 1));
    await refuses(store.firstObject("a", "a"));
    await refuses(store.lastObject("a"));
    await refuses(store.purge());
  },
};

const DERIVED: Readonly<Record<string, Check>> = {
  "finds the records of an execution, ascending": async ({ store, reopen }) => {
    // Names that could run into each other, or into the digits that follow them.
    const names = ["a", "a:", "a:0", "", "0", "a\u0000", "ä", "a".repeat(300)];
    const index: IndexEntry[] = names.map((execution, seq) => ({ execution, seq }));
    await store.append(group(0, names.map(text), index));
    await store.append(group(names.length, [text("again")], [{ execution: "a", seq: names.length }]));
    const again = await reopen();
    for (const [seq, name] of names.entries()) {
      assert.deepEqual([...(await again.store.locate(name))], name === "a" ? [seq, names.length] : [seq]);
    }
    assert.deepEqual([...(await again.store.locate("b"))], []);
  },
  "keeps objects by name, in the order of their names, apart from records": async ({ store, reopen }) => {
    const names = ["b/2", "b/10", "a", "b/1", "b", "c/\u007e", "B/1"];
    await store.append(group(0, [text("record")], [], names.map(named)));
    await assertObjects(store);
    await assertObjects((await reopen()).store);
  },
  "puts an object in the place of its namesake": async ({ store, reopen }) => {
    await store.append(group(0, [text("0")], [], [{ name: "edge", bytes: text("first") }]));
    await store.append(group(1, [text("1")], [], [{ name: "edge", bytes: new Uint8Array(0) }]));
    const again = await reopen();
    assert.equal((await again.store.object("edge"))?.byteLength, 0);
    assert.deepEqual(await again.store.objects(""), ["edge"]);
  },
  "stores objects without a record, and goes on": async ({ store, reopen }) => {
    await store.append(group(0, [], [], [named("before")]));
    await store.append(group(0, [text("0")]));
    await store.append(group(1, [], [], [named("between")]));
    const again = await reopen();
    assert.equal(again.size, 1);
    assert.deepEqual(await again.store.objects(""), ["before", "between"]);
    await again.store.append(group(1, [text("1")]));
    assert.deepEqual(await numbered(again.store.read(0, 2)), [0, 1]);
  },
  "is not changed by a caller who reuses an object's buffer": async ({ store }) => {
    const bytes = text("first");
    await store.append(group(0, [], [], [{ name: "a", bytes }]));
    bytes.fill(0);
    assert.ok(text("first").equals((await store.object("a")) ?? text("")));
  },
  "stores nothing of a group that it refuses": async ({ store, reopen }) => {
    const index = [{ execution: "a", seq: 5 }];
    await refuses(store.append(group(5, [text("5")], index, [named("a")])));
    await refuses(store.append(group(5, [], [], [named("a")])));
    const again = await reopen();
    assert.equal(again.size, 0);
    assert.deepEqual([...(await again.store.locate("a"))], []);
    assert.deepEqual(await again.store.objects(""), []);
  },
};

const FAULTS: Readonly<Record<StorageFault, { readonly title: string; readonly check: Check }>> = {
  EIO: {
    title: "refuses everything after a write that failed, and holds nothing of it when it is opened again",
    check: (run) => failsWhole(run, "EIO", "FEMTO_JOURNAL_WRITE_FAILED"),
  },
  ENOSPC: {
    title: "tells a full disk from other faults, and goes on when it is opened again and has room",
    check: (run) => failsWhole(run, "ENOSPC", "FEMTO_DISK_FULL"),
  },
  unanswered: {
    title: "holds the whole group, or nothing of it, when a write failed that had become durable",
    check: async ({ store, reopen, inject }) => {
      await store.append(group(0, [text("0")]));
      inject("unanswered");
      await refuses(store.append(group(1, [text("1"), text("2")], [{ execution: "a", seq: 1 }], [named("a")])));
      await refuses(store.append(group(3, [text("3")])));
      const again = await reopen();
      const expected = again.size === 1 ? { seqs: [], objects: [] } : { seqs: [1], objects: ["a"] };
      assert.ok([1, 3].includes(again.size));
      assert.deepEqual([...(await again.store.locate("a"))], expected.seqs);
      assert.deepEqual(await again.store.objects(""), expected.objects);
    },
  },
  lock: {
    title: "is not opened again while somebody else has taken it over",
    check: async ({ store, reopen, inject }) => {
      await store.append(group(0, [text("0")]));
      const giveBack = inject("lock");
      await refuses(store.append(group(1, [text("1")])));
      await assert.rejects(reopen(), { code: "FEMTO_JOURNAL_LOCKED" });
      giveBack();
      assert.equal((await reopen()).size, 1);
    },
  },
  slow: {
    title: "resolves no append before the disk has it",
    check: async ({ store, inject }) => {
      const finish = inject("slow");
      let isDurable = false;
      const appended = store.append(group(0, [text("0")])).then(() => {
        isDurable = true;
      });
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(isDurable, false);
      finish();
      await appended;
      assert.deepEqual(await numbered(store.read(0, 1)), [0]);
    },
  },
};

/** A group of a megabyte, so that a real disk that is full has no corner left for it. */
async function failsWhole({ store, reopen, inject }: Run, fault: StorageFault, code: string): Promise<void> {
  await store.append(group(0, [text("0")]));
  const repair = inject(fault);
  const lost = group(1, [Buffer.alloc(1 << 20, "1")], [{ execution: "a", seq: 1 }], [named("a")]);
  await assert.rejects(store.append(lost), { code });
  await refuses(store.append(group(1, [text("1")])));
  await refuses(collect(store.read(0, 1)));
  await refuses(store.object("a"));
  repair();
  const again = await reopen();
  assert.equal(again.size, 1);
  assert.deepEqual([...(await again.store.locate("a"))], []);
  assert.deepEqual(await again.store.objects(""), []);
  await again.store.append(group(1, [text("1")]));
  assert.deepEqual(await numbered(again.store.read(0, 2)), [0, 1]);
}

const REMOVALS: Readonly<Record<string, Check>> = {
  "removes objects in the step that stores others": async ({ store, reopen }) => {
    await store.append(group(0, [text("0")], [], ["a", "b", "b/1", "c"].map(named)));
    const removal = { objects: ["b", "never there"] };
    await store.append({ ...group(1, [text("1")], [], [named("d")]), removal });
    const check = async (each: JournalStore): Promise<void> => {
      assert.deepEqual(await each.objects(""), ["a", "b/1", "c", "d"]);
      assert.equal(await each.object("b"), null);
    };
    await check(store);
    await store.purge();
    await check(store);
    await check((await reopen()).store);
  },
  "takes an object back that was removed before, and keeps it": async ({ store, reopen }) => {
    await store.append(group(0, [text("0")], [], [named("a")]));
    await store.append({ ...group(1, []), removal: { objects: ["a"] } });
    await store.append(group(1, [], [], [{ name: "a", bytes: text("again") }]));
    await store.purge();
    const again = await reopen();
    assert.ok(text("again").equals((await again.store.object("a")) ?? text("")));
  },
  "removes the oldest records with their index entries, within groups too, and goes on": async ({ store, reopen }) => {
    const records = numbers(0, 10).map(String).map(text);
    const index = (from: number, to: number): IndexEntry[] =>
      numbers(from, to).map((seq) => ({ execution: seq % 2 === 0 ? "even" : "odd", seq }));
    await store.append(group(0, records.slice(0, 4), index(0, 4)));
    await store.append(group(4, records.slice(4, 9), index(4, 9)));
    await store.append({
      ...group(9, records.slice(9), index(9, 10)),
      removal: { objects: [], records: { before: 7, keep: [0, 3, 5] } },
    });
    const check = async (each: JournalStore): Promise<void> => {
      assert.deepEqual(await numbered(each.read(0, 10)), [0, 3, 5, 7, 8, 9]);
      assert.deepEqual(await numbered(each.readBackwards(1, 9)), [8, 7, 5, 3]);
      assert.deepEqual(await numbered(each.read(1, 3)), []);
      assert.deepEqual([...(await each.locate("even"))], [0, 8]);
      assert.deepEqual([...(await each.locate("odd"))], [3, 5, 7, 9]);
    };
    await check(store);
    await store.purge();
    await check(store);
    const again = await reopen();
    await check(again.store);
    assert.equal(again.size, 10);
    await again.store.append(group(10, [text("10")]));
    assert.deepEqual(await numbered(again.store.read(8, 11)), [8, 9, 10]);
  },
  "removes nothing with a group that it refuses": async ({ store, reopen }) => {
    await store.append(group(0, [text("0"), text("1")], [{ execution: "a", seq: 0 }], [named("a")]));
    const removal = { objects: ["a"], records: { before: 2, keep: [] } };
    await refuses(store.append({ ...group(7, [text("7")]), removal }));
    const again = await reopen();
    assert.deepEqual(await numbered(again.store.read(0, 2)), [0, 1]);
    assert.deepEqual([...(await again.store.locate("a"))], [0]);
    assert.deepEqual(await again.store.objects(""), ["a"]);
  },
};

async function assertObjects(store: JournalStore): Promise<void> {
  assert.deepEqual(await store.objects(""), ["B/1", "a", "b", "b/1", "b/10", "b/2", "c/~"]);
  assert.deepEqual(await store.objects("b/"), ["b/1", "b/10", "b/2"]);
  assert.deepEqual(await store.objects("b/1"), ["b/1", "b/10"]);
  assert.deepEqual(await store.objects("c"), ["c/~"]);
  assert.deepEqual(await store.objects("d"), []);
  const read = async (prefix: string, from: string, limit: number): Promise<string[]> => {
    const objects = await store.readObjects(prefix, from, limit);
    // What stands under each is its name.
    for (const { name, bytes } of objects) assert.ok(text(name).equals(bytes));
    return objects.map(({ name }) => name);
  };
  assert.deepEqual(await read("", "", 9), ["B/1", "a", "b", "b/1", "b/10", "b/2", "c/~"]);
  assert.deepEqual(await read("b/", "b/10", 9), ["b/10", "b/2"]);
  assert.deepEqual(await read("b/", "b/100", 1), ["b/2"]);
  assert.deepEqual(await read("b/", "a", 2), ["b/1", "b/10"]);
  assert.deepEqual(await read("b/", "d", 9), []);
  assert.equal(await store.firstObject("b/", "b/10"), "b/10");
  assert.equal(await store.firstObject("b/", "b/11"), "b/2");
  assert.equal(await store.firstObject("b/", "a"), "b/1");
  assert.equal(await store.firstObject("b/", "b/3"), null);
  assert.equal(await store.firstObject("b/", "d"), null);
  assert.equal(await store.lastObject("b/"), "b/2");
  assert.equal(await store.lastObject("b/1"), "b/10");
  assert.equal(await store.lastObject("bb"), null);
  assert.ok(text("b/10").equals((await store.object("b/10")) ?? text("")));
  for (const name of ["b/", "b/100", "record", ""]) assert.equal(await store.object(name), null);
}

const named = (name: string): StoredObject => ({ name, bytes: text(name) });

function group(
  expectedSize: number,
  records: readonly Uint8Array[],
  index: readonly IndexEntry[] = [],
  objects: readonly StoredObject[] = [],
): CommitGroup {
  return { expectedSize, records, index, objects };
}

async function appendNumbered(store: JournalStore, groupSizes: readonly number[]): Promise<number> {
  let size = 0;
  for (const groupSize of groupSizes) {
    await store.append(
      group(
        size,
        numbers(size, size + groupSize)
          .map(String)
          .map(text),
      ),
    );
    size += groupSize;
  }
  return size;
}

/** Comparable with what any store returns: a plain `Uint8Array` and a `Buffer` are not equal to `assert`. */
async function collect(records: AsyncIterable<StoredRecord>): Promise<StoredRecord[]> {
  const found: StoredRecord[] = [];
  for await (const { seq, bytes } of records) found.push({ seq, bytes: Buffer.from(bytes) });
  return found;
}

async function numbered(records: AsyncIterable<StoredRecord>): Promise<number[]> {
  return (await collect(records)).map(({ seq, bytes }) => {
    assert.equal(Buffer.from(bytes).toString(), String(seq));
    return seq;
  });
}

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, offset) => from + offset);
const text = (content: string): Buffer => Buffer.from(content);

async function refuses(work: Promise<unknown>): Promise<void> {
  await assert.rejects(work, (error: unknown) => error instanceof Error && "code" in error);
}
