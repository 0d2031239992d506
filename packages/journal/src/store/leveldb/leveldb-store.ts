/**
 * The embedded storage engine. A commit group with its index entries and objects is one batch with one sync. The
 * directory is checked before LevelDB may touch it.
 */
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { errorText, FemtoError, printable, systemErrorCode } from "@femtoclaw/protocol";
import { syncFolder } from "../../state-directory/sync-folder.ts";
import type { CommitGroup, JournalStore, StoredObject, StoredRecord } from "../store.ts";
import { type Database, databaseFault, isLocked, locked, openDatabase } from "./leveldb-database.ts";
import { inspectLeveldbFiles } from "./leveldb-files.ts";
import {
  allGroups,
  groupKey,
  groupRange,
  indexKey,
  indexRange,
  joinGroup,
  LAYOUT,
  LAYOUT_KEY,
  nameOfKey,
  objectKey,
  objectRange,
  objectRangeFrom,
  seqOfKey,
  splitGroup,
} from "./leveldb-layout.ts";
import { type Change, changesOf, purgeRemoved, withoutRemoved } from "./leveldb-removal.ts";

const NOTHING = Buffer.alloc(0);
/** The file that LevelDB locks. */
const LOCK_FILE = "LOCK";
/** LIMIT: bytes fetched at once by a long read. Each fetch waits for a thread, and a group may have 100 KiB. */
const AHEAD_BYTES = 1 << 20;
/** Number of records from which a read counts as long. A short read would not use most of these bytes. */
const AHEAD_RECORDS = 4_096;

/** How thorough opening is. */
export interface LeveldbStoreOptions {
  /** Bytes of tables checked before opening, newest first. The default is what a start has time for. */
  readonly tableBytesMax?: number;
}

/**
 * A store in a LevelDB folder. Throws FEMTO_JOURNAL_LOCKED if the folder is open already, FEMTO_JOURNAL_CORRUPT if
 * files are damaged.
 */
export class LeveldbStore implements JournalStore {
  /**
   * INVARIANT: a process opens a directory only once at a time. LevelDB's own lock belongs to the process and is
   * silently lost when the same process tries to open the directory again, so open directories are remembered here.
   */
  static readonly #open = new Set<string>();

  readonly #directory: string;
  readonly #tableBytesMax: number | undefined;
  #claim: string | null = null;
  /** The file whose lock keeps other processes out. */
  #lock: string | null = null;
  #database: Database | null = null;
  #size = 0;
  #appending = false;
  #failed = false;

  /** `directory` exists and belongs to the journal alone. */
  constructor(directory: string, options: LeveldbStoreOptions = {}) {
    this.#directory = directory;
    this.#tableBytesMax = options.tableBytesMax;
  }

  /** Throws FEMTO_JOURNAL_LOCKED if this process or another one has the directory open. */
  static async refuseIfOpen(directory: string): Promise<void> {
    // Do not probe the lock of a directory that this process has open: the lock would be lost.
    if (LeveldbStore.#open.has(await realpath(directory))) throw locked(directory);
    if (await isLocked(directory).catch(() => false)) throw locked(directory);
  }

  async open(): Promise<{ readonly size: number }> {
    assert(this.#claim === null, "a store is opened once");
    await this.#take();
    try {
      const { fresh } = await this.#inspect();
      this.#database = await openDatabase(this.#directory, { createIfMissing: fresh });
      this.#lock = this.#lockFile();
      await checkLayout(this.#database);
      await syncFolder(this.#directory);
      // Finish what a crash interrupted.
      await purgeRemoved(this.#database);
      this.#size = await countRecords(this.#database);
    } catch (error) {
      await this.close();
      throw databaseFault("FEMTO_JOURNAL_CORRUPT", error);
    }
    return { size: this.#size };
  }

  async append(group: CommitGroup): Promise<void> {
    const database = this.#usable();
    assert(group.records.length > 0 || group.index.length === 0, "only records have index entries");
    if (this.#appending || group.expectedSize !== this.#size) {
      const reason = this.#appending ? "another append is running" : `it holds ${this.#size} records`;
      throw new FemtoError(
        "FEMTO_JOURNAL_WRITE_FAILED",
        `the store takes no group after ${group.expectedSize} records: ${reason}`,
      );
    }
    const puts: Change[] =
      group.records.length === 0 ? [] : [put(groupKey(group.expectedSize), joinGroup(group.records))];
    for (const { execution, seq } of group.index) puts.push(put(indexKey(execution, seq), NOTHING));
    for (const { name, bytes } of group.objects) {
      puts.push(put(objectKey(name), Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)));
    }
    this.#appending = true;
    try {
      this.#requireLock();
      const removal = group.removal === undefined ? [] : await changesOf(database, group.removal);
      await database.batch([...removal, ...puts], { sync: true });
    } catch (error) {
      this.#failed = true;
      throw databaseFault("FEMTO_JOURNAL_WRITE_FAILED", error);
    } finally {
      this.#appending = false;
    }
    this.#size += group.records.length;
  }

  async purge(): Promise<void> {
    await purgeRemoved(this.#usable()).catch((error: unknown) => {
      throw databaseFault("FEMTO_JOURNAL_WRITE_FAILED", error);
    });
  }

  async *read(fromSeq: number, toSeqExclusive: number): AsyncGenerator<StoredRecord> {
    for await (const group of this.#groups(fromSeq, toSeqExclusive, { reverse: false })) {
      for (const record of group) if (record.seq >= fromSeq && record.seq < toSeqExclusive) yield record;
    }
  }

  async *readBackwards(fromSeq: number, toSeqExclusive: number): AsyncGenerator<StoredRecord> {
    for await (const group of this.#groups(fromSeq, toSeqExclusive, { reverse: true })) {
      for (const record of group.reverse()) if (record.seq >= fromSeq && record.seq < toSeqExclusive) yield record;
    }
  }

  async locate(execution: string): Promise<readonly number[]> {
    const keys = await guarded(this.#usable().keys(indexRange(execution)).all());
    return await guarded(withoutRemoved(this.#usable(), keys.map(seqOfKey)));
  }

  async object(name: string): Promise<Uint8Array | null> {
    return (await guarded(this.#usable().get(objectKey(name)))) ?? null;
  }

  async objects(prefix: string): Promise<readonly string[]> {
    const keys = await guarded(this.#usable().keys(objectRange(prefix)).all());
    return keys.map(nameOfKey);
  }

  async readObjects(prefix: string, from: string, limit: number): Promise<readonly StoredObject[]> {
    const range = { ...objectRangeFrom(prefix, from), limit, highWaterMarkBytes: AHEAD_BYTES };
    const entries = await guarded(this.#usable().iterator(range).all());
    return entries.map(([key, bytes]) => ({ name: nameOfKey(key), bytes }));
  }

  async firstObject(prefix: string, from: string): Promise<string | null> {
    const keys = this.#usable().keys({ ...objectRangeFrom(prefix, from), limit: 1 });
    const [first] = await guarded(keys.all());
    return first === undefined ? null : nameOfKey(first);
  }

  async lastObject(prefix: string): Promise<string | null> {
    const keys = this.#usable().keys({ ...objectRange(prefix), reverse: true, limit: 1 });
    const [last] = await guarded(keys.all());
    return last === undefined ? null : nameOfKey(last);
  }

  async close(): Promise<void> {
    const database = this.#database;
    this.#database = null;
    await database?.close();
    if (this.#claim !== null) LeveldbStore.#open.delete(this.#claim);
    this.#claim = null;
  }

  async *#groups(
    fromSeq: number,
    toSeqExclusive: number,
    { reverse }: { readonly reverse: boolean },
  ): AsyncGenerator<StoredRecord[]> {
    if (fromSeq >= toSeqExclusive) return;
    const database = this.#usable();
    try {
      // The first record wanted may stand in the middle of a group, which has an earlier key.
      const before = { gte: allGroups.gte, lte: groupKey(fromSeq), reverse: true, limit: 1 };
      const [start] = await database.keys(before).all();
      const range = groupRange(start === undefined ? fromSeq : seqOfKey(start), toSeqExclusive);
      const ahead = toSeqExclusive - fromSeq < AHEAD_RECORDS ? {} : { highWaterMarkBytes: AHEAD_BYTES };
      for await (const [key, value] of database.iterator({ ...range, ...ahead, reverse })) {
        yield splitGroup(seqOfKey(key), value);
      }
    } catch (error) {
      throw databaseFault("FEMTO_JOURNAL_CORRUPT", error);
    }
  }

  #usable(): Database {
    if (this.#failed) throw new FemtoError("FEMTO_JOURNAL_CLOSED", "an earlier write to the journal failed");
    if (this.#database === null) throw new FemtoError("FEMTO_JOURNAL_CLOSED", "the journal is not open");
    return this.#database;
  }

  /** INVARIANT: I1: nothing is acknowledged that another process may have hidden, after the lock was removed. */
  #requireLock(): void {
    if (this.#lockFile() === this.#lock) return;
    const reason = "its lock was removed, so another process may have opened the journal";
    const fix =
      "Leave the files of a state directory alone while a host runs; a lock of a killed host keeps nobody out.";
    throw new FemtoError("FEMTO_JOURNAL_WRITE_FAILED", reason, { fix });
  }

  /** Null if there is none. */
  #lockFile(): string | null {
    const found = statSync(join(this.#directory, LOCK_FILE), { bigint: true, throwIfNoEntry: false });
    return found === undefined ? null : `${found.dev} ${found.ino}`;
  }

  async #take(): Promise<void> {
    const path = await realpath(this.#directory).catch((error: unknown) => {
      const reason = systemErrorCode(error) ?? errorText(error);
      throw new FemtoError("FEMTO_STATE_NOT_FOUND", `${printable(this.#directory)} cannot be found: ${reason}`);
    });
    if (LeveldbStore.#open.has(path)) throw locked(this.#directory);
    LeveldbStore.#open.add(path);
    this.#claim = path;
  }

  async #inspect(): Promise<{ readonly fresh: boolean }> {
    try {
      return await inspectLeveldbFiles(this.#directory, this.#tableBytesMax);
    } catch (error) {
      // Files of a running host change while they are read, which is not damage. If the probe fails, the first error
      // stands.
      if (await isLocked(this.#directory).catch(() => false)) throw locked(this.#directory);
      throw error;
    }
  }
}

function put(key: string, value: Buffer): Change {
  return { type: "put", key, value };
}

async function checkLayout(database: Database): Promise<void> {
  const layout = await database.get(LAYOUT_KEY);
  if (layout === undefined) {
    const [first] = await database.keys({ limit: 1 }).all();
    if (first !== undefined) throw new FemtoError("FEMTO_JOURNAL_CORRUPT", "the journal does not name its layout");
    await database.batch([put(LAYOUT_KEY, Buffer.from(LAYOUT))], { sync: true });
  } else if (layout.toString() !== LAYOUT) {
    throw new FemtoError("FEMTO_JOURNAL_FORMAT", `the journal has the layout "${printable(layout.toString())}"`);
  }
}

async function countRecords(database: Database): Promise<number> {
  const [last] = await database.iterator({ ...allGroups, reverse: true, limit: 1 }).all();
  if (last === undefined) return 0;
  const firstSeq = seqOfKey(last[0]);
  return firstSeq + splitGroup(firstSeq, last[1]).length;
}

async function guarded<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw databaseFault("FEMTO_JOURNAL_CORRUPT", error);
  }
}
