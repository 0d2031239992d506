/** What is kept beside the records: the index of executions, and objects by their names. */
import assert from "node:assert/strict";
import type { IndexEntry, JournalStore } from "@femtoclaw/journal";
import { type Check, group, named, numbered, refuses, text } from "./store-run.ts";

export const DERIVED: Readonly<Record<string, Check>> = {
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

async function assertObjects(store: JournalStore): Promise<void> {
  assert.deepEqual(await store.objects(""), ["B/1", "a", "b", "b/1", "b/10", "b/2", "c/~"]);
  assert.deepEqual(await store.objects("b/"), ["b/1", "b/10", "b/2"]);
  assert.deepEqual(await store.objects("b/1"), ["b/1", "b/10"]);
  assert.deepEqual(await store.objects("c"), ["c/~"]);
  assert.deepEqual(await store.objects("d"), []);
  const read = async (prefix: string, from: string, limit: number): Promise<string[]> => {
    const objects = await store.readObjects(prefix, from, limit);
    // The bytes of each object are its name.
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
