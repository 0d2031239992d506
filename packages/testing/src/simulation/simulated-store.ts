/**
 * A store that treats each group as it is told, in the ways in which real disks behave, and that can be killed while a
 * group is being written.
 */
import { type CommitGroup, ForwardingStore } from "@femtoclaw/journal";
import { type MemoryDisk, MemoryStore } from "../in-memory/index.ts";
import type { Life } from "./life.ts";
import { turns } from "./simulated-time.ts";

/** What happens to a group, and after how many turns of the event loop. */
export interface Fate {
  /**
   * `refused`: it fails and leaves nothing. `unanswered`: it is stored but reported as failed. `torn`: part of it is
   * left.
   */
  readonly kind: FateKind;
  readonly turns: number;
}

/** `lied`: it is lost but reported as stored, which no store may do; the simulation has to notice. */
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

  /** The process is killed. A group in flight is stored as a whole or not at all. */
  async kill(lands: boolean): Promise<void> {
    if (this.#onItsWay !== null && lands) await this.#inner.append(this.#onItsWay);
    this.#disk.opened = false;
  }

  override async open(): Promise<{ readonly size: number }> {
    // A killed process does not complete an opening that had begun.
    await this.#life.goesOn();
    return await super.open();
  }

  override async close(): Promise<void> {
    await this.#life.goesOn();
    await super.close();
  }
}
