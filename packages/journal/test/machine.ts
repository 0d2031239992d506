/** A disk and the keys beside it, which any number of journals can be opened on, one after the other. */

import { MemoryDisk, MemoryKeyring, MemoryStore } from "@femtoclaw/testing/in-memory";
import { type Clock, Journal } from "../src/index.ts";
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
