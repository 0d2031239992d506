/** Records: what was appended is read back, and an append that does not go on from the end is refused. */
import assert from "node:assert/strict";
import { appendNumbered, type Check, collect, group, numbered, numbers, refuses, text } from "./store-run.ts";

export const RECORDS: Readonly<Record<string, Check>> = {
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

export const REFUSALS: Readonly<Record<string, Check>> = {
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
