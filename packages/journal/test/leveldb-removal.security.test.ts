/** What was removed lies in no file any more, wherever LevelDB had put it, also after a crash in between. */
import { readdirSync, readFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LeveldbStore } from "../src/index.ts";
import { temporaryDirectory } from "./journal-fixture.ts";

const CANARY = "canary-5d0f7a";

/** Files that hold the text anywhere, under whatever name. */
function filesWith(directory: string, text: string): string[] {
  return readdirSync(directory).filter((name) => readFileSync(join(directory, name)).includes(text));
}

async function opened(directory: string): Promise<{ store: LeveldbStore; size: number }> {
  const store = new LeveldbStore(directory);
  const { size } = await store.open();
  return { store, size };
}

const blob = { name: "blob/1/0", bytes: Buffer.from(`salt ${CANARY} value`) };
const other = (seq: number) => ({ name: `blob/${seq}/0`, bytes: Buffer.from(`other ${seq}`) });

/** Where the value lies when it is removed: in the log, in a table by itself, or under other tables. */
const PLACES: Readonly<Record<string, (directory: string) => Promise<void>>> = {
  "in the log of the process that removes it": async (directory) => {
    const { store } = await opened(directory);
    await store.append({ expectedSize: 0, records: [Buffer.from("0")], index: [], objects: [blob, other(2)] });
    await store.append({ expectedSize: 1, records: [], index: [], objects: [], removal: { objects: [blob.name] } });
    await store.purge();
    expect(filesWith(directory, CANARY)).toEqual([]);
    await store.close();
  },
  "in a table of an earlier process": async (directory) => {
    const first = await opened(directory);
    await first.store.append({ expectedSize: 0, records: [Buffer.from("0")], index: [], objects: [blob, other(2)] });
    await first.store.close();
    const { store } = await opened(directory);
    await store.append({ expectedSize: 1, records: [], index: [], objects: [], removal: { objects: [blob.name] } });
    await store.purge();
    expect(filesWith(directory, CANARY)).toEqual([]);
    await store.close();
  },
  "under the tables of several processes": async (directory) => {
    for (let boot = 0; boot < 6; boot += 1) {
      const { store, size } = await opened(directory);
      const objects = boot === 1 ? [blob] : [other(boot), other(boot + 10)];
      await store.append({ expectedSize: size, records: [Buffer.from("record")], index: [], objects });
      await store.close();
    }
    const { store, size } = await opened(directory);
    await store.append({ expectedSize: size, records: [], index: [], objects: [], removal: { objects: [blob.name] } });
    await store.purge();
    expect(filesWith(directory, CANARY)).toEqual([]);
    expect(await store.objects("blob/")).not.toContain(blob.name);
    expect(await store.object("blob/5/0")).not.toBeNull();
    await store.close();
  },
};

for (const [where, check] of Object.entries(PLACES)) {
  test(`a removed value is gone from every file: ${where}`, async () => {
    await check(await temporaryDirectory());
  });
}

test("what a crash kept from being purged goes at the next opening, and a value of the same name stays", async () => {
  const directory = await temporaryDirectory();
  const { store } = await opened(directory);
  await store.append({ expectedSize: 0, records: [Buffer.from("0")], index: [], objects: [blob, other(2)] });
  const removal = { objects: [blob.name, "blob/2/0"] };
  await store.append({ expectedSize: 1, records: [], index: [], objects: [], removal });
  await store.append({ expectedSize: 1, records: [], index: [], objects: [other(2)] });
  // A copy of the files of a store that is open is what a killed process leaves behind.
  const left = await temporaryDirectory();
  await cp(directory, left, { recursive: true });
  await store.close();
  expect(filesWith(left, CANARY)).not.toEqual([]);
  const again = await opened(left);
  expect(filesWith(left, CANARY)).toEqual([]);
  expect(await again.store.objects("blob/")).toEqual(["blob/2/0"]);
  await again.store.close();
});
