/**
 * A store without a disk. It keeps the contract and fails on demand in the ways that disks
 * do.
 */
import assert from "node:assert/strict";
import type { CommitGroup, JournalStore, Removal, StoredObject, StoredRecord } from "@femtoclaw/journal";
import { FemtoError } from "@femtoclaw/protocol";

const NOTHING = new Uint8Array(0);

/** What outlives a store, as a disk would. */
export class MemoryDisk {
  readonly records: Uint8Array[] = [];
  /** Numbers of removed records. */
  readonly removed = new Set<number>();
  readonly index = new Map<string, number[]>();
  readonly objects = new Map<string, Uint8Array>();
  opened = false;
  /** Faults for the coming appends, including those after reopening. */
  readonly faults: StoreFault[] = [];
}

/** A fault for the next append. */
export type StoreFault =
  /** The append fails and leaves nothing behind. */
  | { readonly kind: "EIO" | "ENOSPC" }
  /** The append stores everything but fails all the same, as if the disk's answer were lost. */
  | { readonly kind: "unanswered" }
  /** The append fails, and from then on somebody else has the memory open. */
  | { readonly kind: "lock" }
  /** The append fails and leaves some records without index and objects, as no sound engine would. */
  | { readonly kind: "torn"; readonly recordsKept: number }
  /** The append becomes durable only when the promise resolves. */
  | { readonly kind: "slow"; readonly until: Promise<void> };

/** Its data lies in a `MemoryDisk`, which outlives it. */
export class MemoryStore implements JournalStore {
  readonly #disk: MemoryDisk;
  #state: "new" | "open" | "failed" | "closed" = "new";
  #appending = false;
  /** Whether somebody else has the memory open by now. */
  #isRobbed = false;

  constructor(disk = new MemoryDisk()) {
    this.#disk = disk;
  }

  /** Makes one of the next appends fail. Several faults take effect one after the other. */
  inject(fault: StoreFault): void {
    this.#disk.faults.push(fault);
  }

  async open(): Promise<{ readonly size: number }> {
    assert(this.#state === "new", "a store is opened once");
    if (this.#disk.opened) throw new FemtoError("FEMTO_JOURNAL_LOCKED", "the memory is open already");
    this.#disk.opened = true;
    this.#state = "open";
    return { size: this.#disk.records.length };
  }

  async append(group: CommitGroup): Promise<void> {
    const disk = this.#usable();
    assert(group.records.length > 0 || group.index.length === 0, "only records have index entries");
    if (this.#appending || group.expectedSize !== disk.records.length) {
      throw new FemtoError(
        "FEMTO_JOURNAL_WRITE_FAILED",
        `the store takes no group after ${group.expectedSize} records`,
      );
    }
    const copies = group.records.map((record) => Uint8Array.from(record));
    const objects = group.objects.map(({ name, bytes }) => ({ name, bytes: Uint8Array.from(bytes) }));
    const fault = disk.faults.shift();
    if (fault?.kind === "slow") {
      this.#appending = true;
      await fault.until;
      this.#appending = false;
    } else if (fault !== undefined) {
      this.#state = "failed";
      if (fault.kind === "unanswered") keep(disk, { ...group, records: copies, objects });
      if (fault.kind === "lock") this.#isRobbed = true;
      if (fault.kind === "torn") disk.records.push(...copies.slice(0, fault.recordsKept));
      const code = fault.kind === "ENOSPC" ? "FEMTO_DISK_FULL" : "FEMTO_JOURNAL_WRITE_FAILED";
      throw new FemtoError(code, `the write failed: ${fault.kind}`);
    }
    keep(disk, { ...group, records: copies, objects });
  }

  async purge(): Promise<void> {
    // Removed data is forgotten at once, so this only checks that the store is usable.
    this.#usable();
  }

  async *read(fromSeq: number, toSeqExclusive: number): AsyncGenerator<StoredRecord> {
    yield* this.#range(fromSeq, toSeqExclusive);
  }

  async *readBackwards(fromSeq: number, toSeqExclusive: number): AsyncGenerator<StoredRecord> {
    yield* this.#range(fromSeq, toSeqExclusive).reverse();
  }

  async locate(execution: string): Promise<readonly number[]> {
    return [...(this.#usable().index.get(execution) ?? [])];
  }

  async object(name: string): Promise<Uint8Array | null> {
    return this.#usable().objects.get(name) ?? null;
  }

  async objects(prefix: string): Promise<readonly string[]> {
    return [...this.#usable().objects.keys()].filter((name) => name.startsWith(prefix)).sort();
  }

  async readObjects(prefix: string, from: string, limit: number): Promise<readonly StoredObject[]> {
    const { objects } = this.#usable();
    const names = (await this.objects(prefix)).filter((name) => name >= from).slice(0, limit);
    return names.map((name) => ({ name, bytes: objects.get(name) ?? NOTHING }));
  }

  async firstObject(prefix: string, from: string): Promise<string | null> {
    return (await this.objects(prefix)).find((name) => name >= from) ?? null;
  }

  async lastObject(prefix: string): Promise<string | null> {
    return (await this.objects(prefix)).at(-1) ?? null;
  }

  async close(): Promise<void> {
    const isHeld = (this.#state === "open" || this.#state === "failed") && !this.#isRobbed;
    if (isHeld) this.#disk.opened = false;
    this.#state = "closed";
  }

  #range(fromSeq: number, toSeqExclusive: number): StoredRecord[] {
    const { records, removed } = this.#usable();
    const stored = records.slice(fromSeq, toSeqExclusive).map((bytes, offset) => ({ seq: fromSeq + offset, bytes }));
    return removed.size === 0 ? stored : stored.filter(({ seq }) => !removed.has(seq));
  }

  #usable(): MemoryDisk {
    if (this.#state === "open") return this.#disk;
    throw new FemtoError("FEMTO_JOURNAL_CLOSED", `the store is ${this.#state}`);
  }
}

function keep(disk: MemoryDisk, { records, index, objects, removal }: CommitGroup): void {
  disk.records.push(...records);
  for (const { execution, seq } of index) {
    const seqs = disk.index.get(execution) ?? [];
    seqs.push(seq);
    disk.index.set(execution, seqs);
  }
  for (const { name, bytes } of objects) disk.objects.set(name, bytes);
  if (removal !== undefined) remove(disk, removal);
}

function remove(disk: MemoryDisk, { objects, records }: Removal): void {
  for (const name of objects) disk.objects.delete(name);
  if (records === undefined) return;
  const stays = (seq: number): boolean => seq >= records.before || records.keep.includes(seq);
  for (let seq = 0; seq < records.before; seq += 1) {
    if (stays(seq)) continue;
    disk.removed.add(seq);
    disk.records[seq] = NOTHING;
  }
  for (const [execution, seqs] of disk.index) disk.index.set(execution, seqs.filter(stays));
}
