/**
 * A store that does to each group what it is told, in the ways of real disks, and that can be killed
 * while a group is on its way.
 */
import {
  type CommitGroup,
  type JournalStore,
  type MemoryDisk,
  MemoryStore,
  type StoredRecord,
} from "@femtoclaw/journal";
import type { Life } from "./life.ts";
import { turns } from "./simulated-time.ts";

/** What becomes of a group, and after how many turns. */
export interface Fate {
  /** `refused`: it fails and nothing is left. `unanswered`: it is stored and fails all the same. `torn`: part of it is left. */
  readonly kind: FateKind;
  readonly turns: number;
}

/** `lied`: it is gone and nobody is told, which no store may do; the simulation has to find it out. */
export type FateKind = "kept" | "refused" | "unanswered" | "torn" | "lied";

export class SimulatedStore implements JournalStore {
  readonly #disk: MemoryDisk;
  readonly #inner: MemoryStore;
  readonly #life: Life;
  readonly #fateOf: (records: number) => Fate;
  #onItsWay: CommitGroup | null = null;

  constructor(disk: MemoryDisk, life: Life, fateOf: (records: number) => Fate) {
    this.#disk = disk;
    this.#inner = new MemoryStore(disk);
    this.#life = life;
    this.#fateOf = fateOf;
  }

  async append(group: CommitGroup): Promise<void> {
    await this.#life.goesOn();
    const fate = this.#fateOf(group.records.length);
    this.#onItsWay = group;
    await turns(fate.turns);
    await this.#life.goesOn();
    this.#onItsWay = null;
    if (fate.kind === "lied") return;
    if (fate.kind === "refused") this.#inner.inject({ kind: "EIO" });
    if (fate.kind === "unanswered") this.#inner.inject({ kind: "unanswered" });
    if (fate.kind === "torn") this.#inner.inject({ kind: "torn", recordsKept: group.records.length >> 1 });
    await this.#inner.append(group);
  }

  /** The process is gone. A group on its way is there whole or not at all. */
  async kill(lands: boolean): Promise<void> {
    if (this.#onItsWay !== null && lands) await this.#inner.append(this.#onItsWay);
    this.#disk.opened = false;
  }

  async open(): Promise<{ readonly size: number }> {
    // A process that is gone opens nothing again, however far it had come with that.
    await this.#life.goesOn();
    return await this.#inner.open();
  }

  purge(): Promise<void> {
    return this.#inner.purge();
  }

  read(fromSeq: number, toSeqExclusive: number): AsyncIterable<StoredRecord> {
    return this.#inner.read(fromSeq, toSeqExclusive);
  }

  readBackwards(fromSeq: number, toSeqExclusive: number): AsyncIterable<StoredRecord> {
    return this.#inner.readBackwards(fromSeq, toSeqExclusive);
  }

  locate(execution: string): Promise<readonly number[]> {
    return this.#inner.locate(execution);
  }

  object(name: string): Promise<Uint8Array | null> {
    return this.#inner.object(name);
  }

  objects(prefix: string): Promise<readonly string[]> {
    return this.#inner.objects(prefix);
  }

  firstObject(prefix: string, from: string): Promise<string | null> {
    return this.#inner.firstObject(prefix, from);
  }

  lastObject(prefix: string): Promise<string | null> {
    return this.#inner.lastObject(prefix);
  }

  async close(): Promise<void> {
    await this.#life.goesOn();
    await this.#inner.close();
  }
}
