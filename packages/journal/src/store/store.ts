/**
 * What the journal asks of a storage engine, and no more, so that a replicated engine can take the
 * place of the embedded one. `@femtoclaw/testing` ships the suite that every engine has to pass.
 */

/** One record as stored; `bytes` are never interpreted by a store. */
export interface StoredRecord {
  readonly seq: number;
  readonly bytes: Uint8Array;
}

/** Something beside the records that goes by a name: a snapshot, a tile, a checkpoint. ASCII without control characters. */
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
  /** The number of records before this group; also the sequence number of its first record. */
  readonly expectedSize: number;
  /** May be empty where only objects are stored. */
  readonly records: readonly Uint8Array[];
  readonly index: readonly IndexEntry[];
  /** Each takes the place of an object of the same name. */
  readonly objects: readonly StoredObject[];
  /** What goes in the same step; nothing without it. */
  readonly removal?: Removal;
}

/** What is taken out of the store. A name or number that stands for nothing is gone already. */
export interface Removal {
  /** Names of objects; none of them is stored by the same group. */
  readonly objects: readonly string[];
  /** Records below `before` go with their index entries, except those in `keep`. */
  readonly records?: { readonly before: number; readonly keep: readonly number[] };
}

/** A storage engine. What is asked of a store that failed or was closed is refused. */
export interface JournalStore {
  /** Takes the storage for this process alone and tells how many records it holds. */
  open(): Promise<{ readonly size: number }>;
  /**
   * Stores the group whole or not at all, and durably once it resolves. A wrong `expectedSize` is
   * refused and changes nothing; one append runs at a time. After a failed write every further use
   * is refused, because what the failed write left behind is known only after opening again. A write
   * that lacked room fails with FEMTO_DISK_FULL, any other with FEMTO_JOURNAL_WRITE_FAILED.
   */
  append(group: CommitGroup): Promise<void>;
  /**
   * Resolves once nothing of what was removed can be read out of the storage itself. What a crash cuts
   * off here is made up for when the store is opened again.
   */
  purge(): Promise<void>;
  /** Records of `[fromSeq, toSeqExclusive)` that are stored, oldest first. */
  read(fromSeq: number, toSeqExclusive: number): AsyncIterable<StoredRecord>;
  /** The same records, newest first. */
  readBackwards(fromSeq: number, toSeqExclusive: number): AsyncIterable<StoredRecord>;
  /** Sequence numbers of an execution's records, ascending. */
  locate(execution: string): Promise<readonly number[]>;
  /** The object of this name; null where there is none. */
  object(name: string): Promise<Uint8Array | null>;
  /** Names of the objects that begin with `prefix`, ascending by their characters. */
  objects(prefix: string): Promise<readonly string[]>;
  /** The first of these objects that are not before `from`, at most `limit`, with what stands under them. */
  readObjects(prefix: string, from: string, limit: number): Promise<readonly StoredObject[]>;
  /** The first of these names that is not before `from`, found without looking at the others. */
  firstObject(prefix: string, from: string): Promise<string | null>;
  /** The last of these names, found without looking at the others. */
  lastObject(prefix: string): Promise<string | null>;
  /** Gives the storage free. */
  close(): Promise<void>;
}
