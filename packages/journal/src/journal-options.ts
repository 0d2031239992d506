/** The options of a journal: its store, its keys, its clock, and the projector that folds its records. */
import type { FemtoError, LogParent, MachineIdentities, TypedRecord } from "@femtoclaw/protocol";
import type { Clock } from "./clock.ts";
import type { Keyring } from "./keys/keyring.ts";
import type { ActorSnapshots } from "./records/snapshot.ts";
import type { SealableEntry } from "./sealing/seal.ts";
import type { JournalStore } from "./store/store.ts";

/** Folds records to a state that is saved in snapshots. */
export interface Projector {
  /** Applies an appended record, in order, just before its group is written. */
  apply(record: TypedRecord): void;
  snapshot(): ActorSnapshots;
}

/** The first record of a boot, as remembered outside of the journal. */
export interface KnownRecord {
  readonly boot: string;
  readonly seq: number;
}

export interface JournalOptions {
  /** Must not be open yet; the journal opens and closes it. */
  readonly store: JournalStore;
  /** Private keys of the log. If the store is empty, the first key is made. */
  readonly keyring: Keyring;
  /** Identifier of this boot, never used before. */
  readonly boot: string;
  /** Gives the records their times. */
  readonly clock: Clock;
  /** The state machines that this writer follows; its records name them. */
  readonly machines: MachineIdentities;
  /** Source of the salts for commitments; by default the operating system's randomness. */
  readonly randomBytes?: (bytes: number) => Uint8Array;
  /** Whether there is room for values beside the records; by default they are always kept. */
  readonly keepsValues?: () => boolean;
  /** Folds the records for snapshots; without it none are taken. */
  readonly projector?: Projector;
  /**
   * Called with each record of a writer as soon as it has its number, long before it is durable, in the order of the
   * numbers. Must not throw.
   */
  readonly onNumbered?: (record: TypedRecord) => void;
  /** The log that a new one continues; ignored if there is a log already. */
  readonly parent?: LogParent;
  /**
   * The name of the only log that the present key may begin. If a log is created and this is another name or null, the
   * key is replaced first. If this is undefined, the key is used as it is.
   */
  readonly ownOrigin?: string | null;
  /** Called with the name of a new log, before its first record is written. */
  readonly onCreated?: (origin: string) => Promise<void>;
  /** A record that must be there. If it is missing, the journal was rolled back and is left untouched. */
  readonly known?: KnownRecord | null;
  /** Records between two snapshots; by default 1000. */
  readonly snapshotEveryRecords?: number;
  /** Called once with the reason when the journal stops taking records. */
  readonly onFailed?: (error: FemtoError) => void;
}

export interface Appended {
  /** Its sequence number. */
  readonly seq: number;
  /** Bytes stored for it: the record and the values beside it. */
  readonly bytes: number;
  /** The record as written: without secrets, and with commitments in place of large values. */
  readonly record: TypedRecord;
}

/** Everything that may be appended, which excludes the records that the journal writes itself. */
export type JournalEntry = Exclude<
  SealableEntry,
  {
    readonly type: "log.created" | "key.rotated" | "snapshot.taken" | "values.erased" | "log.pruned";
  }
>;
