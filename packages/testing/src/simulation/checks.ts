/**
 * What is checked after every restart: recovery against the full fold, one replay against another, and that tampering
 * with the log is noticed.
 */
import { type JournalStore, StoreSource, verifyLog } from "@femtoclaw/journal";
import { type Replay, type Runtime, replay } from "@femtoclaw/runtime";
import { MemoryDisk, MemoryStore } from "../in-memory/index.ts";
import { Divergence } from "./oracle.ts";
import type { Random } from "./random.ts";
import { turns } from "./simulated-time.ts";
import type { World } from "./world.ts";

/**
 * Checks a runtime that has just started and does only what was answered before. Returns the root of its log, or null
 * if a store broke its contract by tearing a write and the verifier has noticed.
 */
export async function checkRestart(world: World, runtime: Runtime): Promise<string | null> {
  // What an operator had approved continues by itself; it gets the time to end.
  await world.until(idle(runtime));
  world.oracle.restart();
  const [recovered, first, second] = [
    JSON.stringify(runtime.projection.snapshot()),
    textOf(await replay(runtime.reader)),
    textOf(await replay(runtime.reader)),
  ];
  if (recovered !== first)
    throw new Divergence(`I5: snapshot and tail give ${recovered}, the full fold gives ${first}`);
  if (first !== second) throw new Divergence("I6: two replays of the same records differ");
  for (const [name, count] of Object.entries(world.oracle.counters())) {
    const counted = runtime.projection.counters[name as keyof typeof runtime.projection.counters];
    if (counted !== count) throw new Divergence(`I5: the projection counts ${counted} ${name}, and there are ${count}`);
  }
  const noted = await world.until(runtime.checkpoint());
  if (noted.status === "rejected") throw new Divergence("I7: a journal in order cannot be signed");
  return await checkLog(world, noted.value);
}

async function idle(runtime: Runtime): Promise<void> {
  while (runtime.status().running > 0) await turns(1);
}

async function checkLog({ disk, heldNote, random, fates }: World, note: string): Promise<string | null> {
  const right = await verified(copyOf(disk), heldNote ?? note);
  if (right.verdict === "tampered" && fates.torn > 0) return null;
  if (right.verdict !== "verified" || right.unsignedTail !== 0) {
    throw new Divergence(`I7: the log is ${right.verdict}: ${right.fault?.seq} ${right.fault?.reason}`);
  }
  const tampered = copyOf(disk);
  const how = tamper(tampered, random);
  const wrong = await verified(tampered, note);
  if (wrong.verdict === "verified") throw new Divergence(`I7: ${how} is not found out`);
  return right.root;
}

async function verified(disk: MemoryDisk, checkpoint: string): ReturnType<typeof verifyLog> {
  const store: JournalStore = new MemoryStore(disk);
  const { size } = await store.open();
  const first = JSON.parse(Buffer.from(disk.records[0] ?? []).toString("utf8")) as { body?: { vkey?: string } };
  return await verifyLog({ source: new StoreSource(store, size), pinned: first.body?.vkey ?? "", checkpoint });
}

/** A change that somebody with access to the disk could make. */
function tamper(disk: MemoryDisk, random: Random): string {
  // The first record names the key, which is pinned elsewhere.
  const seq = 1 + random.int(disk.records.length - 1);
  const record = disk.records[seq] ?? new Uint8Array();
  const other = random.int(disk.records.length);
  switch (random.pick(["flip", "drop", "cut", "repeat"] as const)) {
    case "flip": {
      const at = random.int(record.length);
      record[at] = (record[at] ?? 0) ^ (1 << random.int(8));
      return `a flipped bit in byte ${at} of record ${seq}`;
    }
    case "drop":
      disk.records.splice(seq, 1);
      return `the loss of record ${seq}`;
    case "cut":
      disk.records.splice(seq);
      return `the loss of everything from record ${seq} on`;
    case "repeat":
      disk.records.splice(seq, 0, disk.records[other] ?? record);
      return `record ${other} once more at ${seq}`;
  }
}

function copyOf(disk: MemoryDisk): MemoryDisk {
  const copy = new MemoryDisk();
  for (const record of disk.records) copy.records.push(Uint8Array.from(record));
  for (const [name, bytes] of disk.objects) copy.objects.set(name, bytes);
  return copy;
}

function textOf({ projection }: Replay): string {
  return JSON.stringify(projection.snapshot());
}
