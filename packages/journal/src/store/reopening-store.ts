/**
 * A store that survives a failed write. What such a write left behind is known only after reopening the storage. Then
 * either the whole group is found there, or the very same bytes are written once more.
 */
import { FemtoError } from "@femtoclaw/protocol";
import type { Clock } from "../clock.ts";
import type { CommitGroup, JournalStore, Removal, StoredObject, StoredRecord } from "./store.ts";

/** Milliseconds before the second attempt on a full disk. The pause doubles up to the maximum. */
const PAUSE_MS = 25;
const PAUSE_MAX_MS = 1_000;
/** LIMIT: writes that may fail for another reason than a full disk; a device that fails again is not to be trusted. */
const REPAIRS = 1;

/** How to reopen the storage, and who makes room. */
interface ReopeningStoreOptions {
  /** Makes a store over the same storage, not open yet. */
  create(): JournalStore;
  readonly clock: Pick<Clock, "after">;
  /** Makes room, if possible, before the next attempt. Called each time the disk turns out to be full. */
  onFull(fault: FemtoError): Promise<void>;
}

/** A store that continues after a full disk once there is room again, and after one write that failed otherwise. */
export class ReopeningStore implements JournalStore {
  readonly #options: ReopeningStoreOptions;
  #store: JournalStore;
  #size = 0;
  /** The last record, by which the journal is known again; null if it has none. */
  #last: Uint8Array | null = null;
  #repairs = 0;
  #appending = false;
  #isPatient = true;
  #isClosed = false;
  /** Settles when the storage is open again or never will be; reads wait for it. */
  #reopening: Promise<void> | null = null;

  constructor(options: ReopeningStoreOptions) {
    this.#options = options;
    this.#store = options.create();
  }

  async open(): Promise<{ readonly size: number }> {
    try {
      this.#size = (await this.#store.open()).size;
    } catch (error) {
      // A full disk keeps a database from opening, too. There is only one more attempt, because somebody who starts a
      // host can wait better than a running host.
      if (!isFull(error)) throw error;
      await this.#options.onFull(error);
      this.#size = await this.#reopen();
    }
    this.#last = await lastOf(this.#store, this.#size);
    return { size: this.#size };
  }

  async append(group: CommitGroup): Promise<void> {
    // The store itself rejects a wrong append. That changes nothing and needs no reopening.
    if (this.#appending || group.expectedSize !== this.#size) return await this.#store.append(group);
    this.#appending = true;
    try {
      await this.#store.append(group);
    } catch (error) {
      if (!isFailedWrite(error)) throw error;
      await this.#rescue(group, error);
    } finally {
      this.#appending = false;
    }
    this.#size += group.records.length;
    this.#last = group.records.at(-1) ?? this.#last;
  }

  purge(): Promise<void> {
    return this.#ask((store) => store.purge());
  }

  /** From now on do not wait for room on a full disk: the next attempt that fails is the last. */
  stopWaiting(): void {
    this.#isPatient = false;
  }

  async *read(fromSeq: number, toSeqExclusive: number): AsyncGenerator<StoredRecord> {
    let next = fromSeq;
    for (;;) {
      const store = await this.#current();
      try {
        for await (const record of store.read(next, toSeqExclusive)) {
          yield record;
          next = record.seq + 1;
        }
        return;
      } catch (error) {
        if (this.#isUsable(store)) throw error;
      }
    }
  }

  async *readBackwards(fromSeq: number, toSeqExclusive: number): AsyncGenerator<StoredRecord> {
    let end = toSeqExclusive;
    for (;;) {
      const store = await this.#current();
      try {
        for await (const record of store.readBackwards(fromSeq, end)) {
          yield record;
          end = record.seq;
        }
        return;
      } catch (error) {
        if (this.#isUsable(store)) throw error;
      }
    }
  }

  locate(execution: string): Promise<readonly number[]> {
    return this.#ask((store) => store.locate(execution));
  }

  object(name: string): Promise<Uint8Array | null> {
    return this.#ask((store) => store.object(name));
  }

  objects(prefix: string): Promise<readonly string[]> {
    return this.#ask((store) => store.objects(prefix));
  }

  readObjects(prefix: string, from: string, limit: number): Promise<readonly StoredObject[]> {
    return this.#ask((store) => store.readObjects(prefix, from, limit));
  }

  firstObject(prefix: string, from: string): Promise<string | null> {
    return this.#ask((store) => store.firstObject(prefix, from));
  }

  lastObject(prefix: string): Promise<string | null> {
    return this.#ask((store) => store.lastObject(prefix));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#isPatient = false;
    await this.#reopening;
    await this.#store.close();
  }

  async #ask<T>(question: (store: JournalStore) => Promise<T>): Promise<T> {
    for (;;) {
      const store = await this.#current();
      try {
        return await question(store);
      } catch (error) {
        if (this.#isUsable(store)) throw error;
      }
    }
  }

  async #current(): Promise<JournalStore> {
    await this.#reopening;
    return this.#store;
  }

  /** Whether an error of this store counts. A store that is being or was replaced says nothing about the journal. */
  #isUsable(store: JournalStore): boolean {
    return this.#reopening === null && this.#store === store;
  }

  async #rescue(group: CommitGroup, cause: FemtoError): Promise<void> {
    const reopening = Promise.withResolvers<void>();
    this.#reopening = reopening.promise;
    try {
      await this.#persist(group, cause);
    } finally {
      this.#reopening = null;
      reopening.resolve();
    }
  }

  /** Tries until the group is durable. Throws if that is impossible, and nothing is appended after that. */
  async #persist(group: CommitGroup, cause: FemtoError): Promise<void> {
    let fault = cause;
    for (let pauseMs = 0; ; pauseMs = Math.min(Math.max(2 * pauseMs, PAUSE_MS), PAUSE_MAX_MS)) {
      await this.#prepare(fault, pauseMs);
      try {
        const size = await this.#reopen();
        const found = { store: this.#store, size, last: this.#last };
        if (!(await isStored(found, group, fault))) await this.#store.append(group);
        return;
      } catch (error) {
        if (!isFailedWrite(error)) throw error;
        fault = error;
      }
    }
  }

  /** Prepares another attempt; throws if there is to be none. */
  async #prepare(fault: FemtoError, pauseMs: number): Promise<void> {
    if (!isFull(fault)) {
      if (this.#repairs >= REPAIRS) throw fault;
      this.#repairs += 1;
      return;
    }
    if (!this.#isPatient && pauseMs > 0) throw fault;
    await this.#options.onFull(fault);
    if (pauseMs > 0) await new Promise<void>((resolve) => void this.#options.clock.after(pauseMs, resolve));
  }

  async #reopen(): Promise<number> {
    await this.#store.close();
    if (this.#isClosed) throw new FemtoError("FEMTO_JOURNAL_CLOSED", "the journal was closed while it was repaired");
    this.#store = this.#options.create();
    return (await this.#store.open()).size;
  }
}

/** What was found when the storage was opened again, and the last record that has to be in it. */
interface Found {
  readonly store: JournalStore;
  readonly size: number;
  readonly last: Uint8Array | null;
}

/**
 * INVARIANT: a group counts as stored only if all of its records, index entries and objects are there and nothing is
 * left of what it removes. It is written again only if the storage ends before it; anything in between is damage. What
 * is found is durable, even after a failed sync for which the kernel dropped the pages: an opening store does not rely
 * on an unfinished log, because LevelDB writes what it recovers to a table that it syncs.
 */
async function isStored({ store, size, last }: Found, group: CommitGroup, cause: FemtoError): Promise<boolean> {
  const { expectedSize, records, index, objects, removal } = group;
  const damaged = (what: string): FemtoError =>
    new FemtoError(
      "FEMTO_JOURNAL_CORRUPT",
      `after a failed write of records from ${expectedSize} on (${cause.message}), ${what}`,
    );
  // INVARIANT: I7: somebody may have put another state directory in the place of this one. Nothing is appended to a
  // journal that this one is not.
  const isOther = last !== null && !isSame(await lastOf(store, expectedSize), last);
  if (isOther) throw damaged(`another journal lies there: its record ${expectedSize - 1} is another one`);
  // A group of objects alone is simply written again: each object replaces its namesake.
  if (size === expectedSize) return false;
  if (size !== expectedSize + records.length) throw damaged(`the journal holds ${size}`);
  for await (const { seq, bytes } of store.read(expectedSize, size)) {
    if (!isSame(bytes, records[seq - expectedSize])) throw damaged(`record ${seq} is another one`);
  }
  for (const { execution, seq } of index) {
    if (!(await store.locate(execution)).includes(seq)) throw damaged(`record ${seq} is not found by its execution`);
  }
  // If two objects have the same name, the later one is stored.
  for (const [name, bytes] of new Map(objects.map((object) => [object.name, object.bytes]))) {
    if (!isSame(await store.object(name), bytes)) throw damaged(`the object ${name} is missing or another one`);
  }
  const left = removal === undefined ? undefined : await leftOf(store, removal);
  if (left !== undefined) throw damaged(`${left} is still there`);
  return true;
}

/** Something that should have been removed but was not, in words. */
async function leftOf(store: JournalStore, { objects, records }: Removal): Promise<string | undefined> {
  for (const name of objects) if ((await store.object(name)) !== null) return `the object ${name}`;
  if (records === undefined) return undefined;
  for await (const { seq } of store.read(0, records.before)) {
    if (!records.keep.includes(seq)) return `record ${seq}`;
  }
  return undefined;
}

/** The last of the first `size` records; null if there is none, or if it was pruned. */
async function lastOf(store: JournalStore, size: number): Promise<Uint8Array | null> {
  for await (const { bytes } of store.read(Math.max(0, size - 1), size)) return bytes;
  return null;
}

function isSame(left: Uint8Array | null, right: Uint8Array | undefined): boolean {
  return left !== null && right !== undefined && Buffer.compare(left, right) === 0;
}

function isFull(error: unknown): error is FemtoError {
  return error instanceof FemtoError && error.code === "FEMTO_DISK_FULL";
}

function isFailedWrite(error: unknown): error is FemtoError {
  return isFull(error) || (error instanceof FemtoError && error.code === "FEMTO_JOURNAL_WRITE_FAILED");
}
