/** A disk and the keys beside it, which any number of journals can be opened on, one after the other. */

import { MemoryDisk, MemoryKeyring, MemoryStore } from "@femtoclaw/testing/in-memory";
import { expect } from "vitest";
import { type Clock, Journal, KeyChain, parseVerifierKey } from "../src/index.ts";
import { numberOfName } from "../src/records/object-name.ts";
import { encodeBase64 } from "../src/tree/base64.ts";
import { leafHash } from "../src/tree/hashing.ts";
import { TileTree } from "../src/tree/tiles.ts";
import { CountingProjector, countingClock, MACHINES } from "./journal-fixture.ts";

export class Machine {
  disk = new MemoryDisk();
  keyring = new MemoryKeyring();
  boots = 0;

  async boot(
    projector = new CountingProjector(),
    clock: Clock = countingClock(),
  ): Promise<{ journal: Journal; store: MemoryStore }> {
    this.boots += 1;
    const store = new MemoryStore(this.disk);
    const { keyring } = this;
    const boot = `boot-${this.boots}`;
    // Snapshots are taken on demand alone, so that tests can count.
    const options = {
      store,
      keyring,
      boot,
      clock,
      machines: MACHINES,
      projector,
      snapshotEveryRecords: 1_000_000,
    };
    return { store, journal: await Journal.open(options) };
  }

  /** The disk as it is now, in another machine with the same keys. */
  copy(): Machine {
    const copy = new Machine();
    copy.disk.records.push(...this.disk.records);
    for (const [name, bytes] of this.disk.objects) copy.disk.objects.set(name, bytes);
    copy.keyring = this.keyring;
    copy.boots = this.boots + 100;
    return copy;
  }

  root(size = this.disk.records.length): string {
    const tree = new TileTree();
    for (const record of this.disk.records.slice(0, size)) tree.push(leafHash(record));
    return encodeBase64(tree.root());
  }

  get signed(): number[] {
    return [...this.disk.objects.keys()].flatMap((name) => {
      return name.startsWith("checkpoint/") ? [numberOfName(name) ?? -1] : [];
    });
  }
}

/** The keys of the log, as its records name them. */
export function chainOf({ disk }: Machine): KeyChain {
  const records = disk.records.map(
    (bytes) => JSON.parse(Buffer.from(bytes).toString()) as Parameters<typeof KeyChain.begin>[0],
  );
  const [first, ...rest] = records;
  if (first === undefined) throw new Error("the disk is empty");
  const chain = KeyChain.begin(first);
  for (const record of rest) if (record.type === "key.rotated") chain.extend(record);
  expect(parseVerifierKey(chain.current)).not.toBeNull();
  return chain;
}

/** The content of a note that the log vouches for. */
export function openedBy(machine: Machine, note: string): Exclude<ReturnType<KeyChain["openCheckpoint"]>, string> {
  const opened = chainOf(machine).openCheckpoint(note);
  if (typeof opened === "string") throw new Error(opened);
  return opened;
}
