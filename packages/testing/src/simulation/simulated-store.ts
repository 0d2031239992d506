/**
 * A store that does to each group what it is told, in the ways of real disks, and that can be killed
 * while a group is on its way.
 */
import { type CommitGroup, ForwardingStore, type MemoryDisk, MemoryStore } from "@femtoclaw/journal";
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

export class SimulatedStore extends ForwardingStore {
  readonly #disk: MemoryDisk;
  readonly #inner: MemoryStore;
  readonly #life: Life;
  readonly #fateOf: (records: number) => Fate;
  #onItsWay: CommitGroup | null = null;

  constructor(disk: MemoryDisk, life: Life, fateOf: (records: number) => Fate) {
    const inner = new MemoryStore(disk);
    super(inner);
    this.#disk = disk;
    this.#inner = inner;
    this.#life = life;
    this.#fateOf = fateOf;
  }

  override async append(group: CommitGroup): Promise<void> {
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

  override async open(): Promise<{ readonly size: number }> {
    // A process that is gone opens nothing again, however far it had come with that.
    await this.#life.goesOn();
    return await super.open();
  }

  override async close(): Promise<void> {
    await this.#life.goesOn();
    await super.close();
  }
}
