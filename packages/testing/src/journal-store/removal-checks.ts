/** What is removed is gone for good, and nothing else goes with it. */
import assert from "node:assert/strict";
import type { IndexEntry, JournalStore } from "@femtoclaw/journal";
import { type Check, group, named, numbered, numbers, refuses, text } from "./store-run.ts";

export const REMOVALS: Readonly<Record<string, Check>> = {
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
