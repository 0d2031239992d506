/**
 * What the journal needs from a storage engine, and no more, so that a replicated engine can replace the embedded one.
 * `@femtoclaw/testing` has the test suite that every engine has to pass.
 */

/** A stored record. A store never interprets `bytes`. */
export interface StoredRecord {
  readonly seq: number;
  readonly bytes: Uint8Array;
}

/**
 * Something stored by name beside the records: a snapshot, a tile, a checkpoint. Names are ASCII without control
 * characters.
 */
export interface StoredObject {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Says that the record `seq` belongs to an execution. */
export interface IndexEntry {
  readonly execution: string;
  readonly seq: number;
}

/** Records that become durable together, with everything that is derived from them. */
export interface CommitGroup {
  /** Number of records before this group, which is the sequence number of its first record. */
  readonly expectedSize: number;
  /** May be empty if only objects are stored. */
  readonly records: readonly Uint8Array[];
  readonly index: readonly IndexEntry[];
  /** Each replaces an object of the same name. */
  readonly objects: readonly StoredObject[];
  /** What to remove in the same step; by default nothing. */
  readonly removal?: Removal;
}

/** What to remove from the store. Names and numbers that do not exist count as removed already. */
export interface Removal {
  /** Names of objects; none of them is stored by the same group. */
  readonly objects: readonly string[];
  /** Records below `before` are removed with their index entries, except those in `keep`. */
  readonly records?: { readonly before: number; readonly keep: readonly number[] };
}

/** A storage engine. After a failed write or after closing, a store refuses every request. */
export interface JournalStore {
  /** Takes the storage for this process alone; resolves with the number of records in it. */
  open(): Promise<{ readonly size: number }>;
  /**
   * Stores the group whole or not at all; the group is durable once this resolves. A wrong `expectedSize` is refused
   * and changes nothing. Only one append may run at a time. After a failed write every further use is refused, because
   * what that write left behind is known only after reopening. A write that lacked room fails with FEMTO_DISK_FULL, any
   * other with FEMTO_JOURNAL_WRITE_FAILED.
   */
  append(group: CommitGroup): Promise<void>;
  /**
   * Resolves once what was removed cannot be read even from the storage medium. If a crash interrupts this, the next
   * opening finishes it.
   */
  purge(): Promise<void>;
  /** The stored records of `[fromSeq, toSeqExclusive)`, oldest first. */
  read(fromSeq: number, toSeqExclusive: number): AsyncIterable<StoredRecord>;
  /** The same records, newest first. */
  readBackwards(fromSeq: number, toSeqExclusive: number): AsyncIterable<StoredRecord>;
  /** Sequence numbers of an execution's records, ascending. */
  locate(execution: string): Promise<readonly number[]>;
  /** The object of this name; null if there is none. */
  object(name: string): Promise<Uint8Array | null>;
  /** Names of the objects that begin with `prefix`, in ascending order of their characters. */
  objects(prefix: string): Promise<readonly string[]>;
  /** The first `limit` of these objects whose names are not before `from`, with their bytes. */
  readObjects(prefix: string, from: string, limit: number): Promise<readonly StoredObject[]>;
  /** The first of these names that is not before `from`, found without reading the others. */
  firstObject(prefix: string, from: string): Promise<string | null>;
  /** The last of these names, found without reading the others. */
  lastObject(prefix: string): Promise<string | null>;
  /** Releases the storage. */
  close(): Promise<void>;
}
