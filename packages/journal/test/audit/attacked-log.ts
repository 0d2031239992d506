/** A signed log of 1,000 records with what others kept of it, and what somebody with the disk in hand can do to it. */
import type { KeyObject } from "node:crypto";
import { MemoryDisk, MemoryStore } from "@femtoclaw/testing/in-memory";
import { expect } from "vitest";
import { type Journal, type LogVerdict, StoreSource, type VerifyOptions, verifyLog } from "../../src/index.ts";
import { CHECKPOINTS, checkpointName, EDGE, TILES } from "../../src/records/object-name.ts";
import { formatCheckpoint } from "../../src/tree/checkpoint.ts";
import { noteSigner, signNote } from "../../src/tree/signed-note.ts";
import { TileTree } from "../../src/tree/tiles.ts";
import { growTree } from "../../src/tree-log.ts";
import { message } from "../journal-fixture.ts";
import { Machine } from "../machine.ts";

export interface SignedLog {
  readonly machine: Machine;
  readonly origin: string;
  readonly vkey: string;
  /** The private key, for whoever stole it. */
  readonly key: KeyObject;
  /** Notes that somebody kept elsewhere. */
  readonly at800: string;
  readonly at1000: string;
  /** A backup of the disk. */
  readonly copyAt800: Machine;
}

export const fill = (journal: Journal, count: number): Promise<unknown> =>
  Promise.all(Array.from({ length: count }, (_, index) => journal.append(message(`m${index}`))));

/** Signed at 300, 800 and 1,000. */
export async function signedLog(): Promise<SignedLog> {
  const machine = new Machine();
  const { journal } = await machine.boot();
  await fill(journal, 299);
  await journal.checkpoint();
  await fill(journal, 500);
  const at800 = await journal.checkpoint();
  const copyAt800 = machine.copy();
  await fill(journal, 200);
  const at1000 = await journal.checkpoint();
  await journal.close();
  const key = await machine.keyring.current();
  if (key === null) throw new Error("the log has a key");
  const vkey = (await verified(machine)).keys[0]?.vkey ?? "";
  return { machine, origin: journal.origin, vkey, key, at800, at1000, copyAt800 };
}

export async function verified({ disk }: Machine, known: Omit<VerifyOptions, "source"> = {}): Promise<LogVerdict> {
  const store = new MemoryStore(Object.assign(new MemoryDisk(), disk, { opened: false }));
  const { size } = await store.open();
  return await verifyLog({ source: new StoreSource(store, size), ...known });
}

export function edit(disk: MemoryDisk, seq: number): void {
  const text = Buffer.from(disk.records[seq] ?? []).toString();
  const edited = text.replace('"content":"m', '"content":"M');
  expect(edited).not.toBe(text);
  disk.records[seq] = Buffer.from(edited);
}

/** Tiles and edge anew, as anyone can make them. */
export function recompute(disk: MemoryDisk): TileTree {
  const tree = new TileTree();
  for (const name of disk.objects.keys()) if (name === EDGE || name.startsWith(TILES)) disk.objects.delete(name);
  for (const record of disk.records)
    for (const { name, bytes } of growTree(tree, [record])) disk.objects.set(name, bytes);
  return tree;
}

/** One checkpoint over everything by this key, in the place of all others. */
export function resign(disk: MemoryDisk, origin: string, by: KeyObject): void {
  const tree = recompute(disk);
  unsign(disk);
  const text = formatCheckpoint({ origin, size: tree.size, root: tree.root() });
  disk.objects.set(checkpointName(tree.size), Buffer.from(signNote(text, [noteSigner(origin, by)])));
}

/** No checkpoint above this size. */
export function unsign({ objects }: MemoryDisk, size = 0): void {
  for (const name of objects.keys())
    if (name > checkpointName(size) && name.startsWith(CHECKPOINTS)) objects.delete(name);
}

export function truncate(disk: MemoryDisk, size: number): void {
  disk.records.length = size;
  recompute(disk);
  unsign(disk, size);
}

export function flip({ objects }: MemoryDisk, name: string): void {
  const bytes = Buffer.from(objects.get(name) ?? []);
  bytes.writeUInt8(bytes.readUInt8(20) ^ 1, 20);
  objects.set(name, bytes);
}
