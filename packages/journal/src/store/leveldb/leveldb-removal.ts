/**
 * Removes data from LevelDB. LevelDB only hides what is deleted: the bytes stay in its files until these are compacted.
 * So each removed key gets a mark in the same batch, and the mark is deleted once the files are rewritten.
 */

import { parseJson } from "@femtoclaw/protocol";
import type { Removal } from "../store.ts";
import type { Database } from "./leveldb-database.ts";
import {
  allGroups,
  allIndexes,
  allRemoved,
  allUnindexed,
  groupKey,
  joinGroup,
  keyOfRemoved,
  objectKey,
  removedKey,
  seqOfKey,
  splitGroup,
  unindexedKey,
} from "./leveldb-layout.ts";

export type Change =
  | { readonly type: "put"; readonly key: string; readonly value: Buffer }
  | { readonly type: "del"; readonly key: string };

const NOTHING = Buffer.alloc(0);
/** LIMIT: keys deleted in one step. Each step of a purge rewrites the files. */
const KEYS_PER_STEP = 4_096;

/** The changes that carry out the removal, as part of the batch with the record that reports it. */
export async function changesOf(database: Database, { objects, records }: Removal): Promise<Change[]> {
  const changes = objects.flatMap((name) => removed(objectKey(name)));
  if (records === undefined) return changes;
  const { before, keep } = records;
  const stays = (seq: number): boolean => seq >= before || keep.includes(seq);
  for await (const [key, value] of database.iterator({ gte: allGroups.gte, lt: groupKey(before) })) {
    const group = splitGroup(seqOfKey(key), value);
    const staying = group.filter(({ seq }) => stays(seq));
    if (staying.length === group.length) continue;
    changes.push(...removed(key));
    // A group is one value, so the records that stay are written anew. Each run of them is stored under its first
    // number.
    for (const stretch of stretches(staying)) changes.push({ type: "put", ...stretch });
  }
  // There may be millions of index entries. They count as removed from here on and are deleted in steps.
  changes.push({ type: "put", key: unindexedKey(before), value: Buffer.from(JSON.stringify(keep)) });
  return changes;
}

/** These numbers except those of removed records. */
export async function withoutRemoved(database: Database, seqs: readonly number[]): Promise<number[]> {
  const marks = await unindexedMarks(database);
  return seqs.filter((seq) => !marks.some(({ goes }) => goes(seq)));
}

/**
 * INVARIANT: I5: a mark is deleted after the last entry that it stands for, so that after a crash the next opening
 * finishes.
 */
async function dropIndexEntries(database: Database): Promise<void> {
  for (const { key: mark, goes } of await unindexedMarks(database)) {
    let last = allIndexes.gte;
    for (;;) {
      const keys = await database.keys({ gt: last, lt: allIndexes.lt, limit: KEYS_PER_STEP }).all();
      if (keys.length === 0) break;
      last = keys.at(-1) ?? last;
      await removeKeys(
        database,
        keys.filter((key) => goes(seqOfKey(key))),
      );
    }
    await removeKeys(database, [mark]);
  }
}

interface UnindexedMark {
  readonly key: string;
  /** Whether the record of this number was removed. */
  goes(seq: number): boolean;
}

async function unindexedMarks(database: Database): Promise<UnindexedMark[]> {
  return (await database.iterator(allUnindexed).all()).map(([key, value]) => {
    const before = seqOfKey(key);
    const keep = new Set(parseJson(value.toString()) as readonly number[]);
    return { key, goes: (seq) => seq < before && !keep.has(seq) };
  });
}

async function removeKeys(database: Database, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  await database.batch(
    keys.map((key) => ({ type: "del" as const, key })),
    { sync: true },
  );
}

/**
 * Finishes removals: deletes index entries and rewrites the files in which removed values may still lie. LevelDB drops
 * a value only when it merges the value's file with a later deletion. Both may be in the same file of its lowest level,
 * which LevelDB would then leave alone. So everything is first compacted into files, then deleted once more and merged.
 */
export async function purgeRemoved(database: Database): Promise<void> {
  await dropIndexEntries(database);
  for (;;) {
    const marks = await database.keys({ ...allRemoved, limit: KEYS_PER_STEP }).all();
    const [first, last] = [marks.at(0), marks.at(-1)];
    if (first === undefined || last === undefined) return;
    const keys = marks.map(keyOfRemoved);
    for (let pass = 0; pass < 2; pass += 1) {
      const gone = await stillRemoved(database, keys);
      await removeKeys(database, gone);
      await database.compactRange(keyOfRemoved(first), keyOfRemoved(last));
    }
    await removeKeys(database, marks);
  }
}

/** A removed key may have got a new value in the same batch, which must stay. */
async function stillRemoved(database: Database, keys: readonly string[]): Promise<string[]> {
  const values = await database.getMany([...keys]);
  return keys.filter((_, index) => values[index] === undefined);
}

function removed(key: string): Change[] {
  return [
    { type: "del", key },
    { type: "put", key: removedKey(key), value: NOTHING },
  ];
}

function stretches(records: readonly { readonly seq: number; readonly bytes: Uint8Array }[]) {
  const found: { readonly firstSeq: number; readonly bytes: Uint8Array[] }[] = [];
  for (const { seq, bytes } of records) {
    const last = found.at(-1);
    if (last !== undefined && last.firstSeq + last.bytes.length === seq) last.bytes.push(bytes);
    else found.push({ firstSeq: seq, bytes: [bytes] });
  }
  return found.map(({ firstSeq, bytes }) => ({ key: groupKey(firstSeq), value: joinGroup(bytes) }));
}
