/** What a journal is opened with: its store, its keys, its clock, and what is folded from its records. */
import type { FemtoError, LogParent, MachineIdentities, TypedRecord } from "@femtoclaw/protocol";
import type { Clock } from "./clock.ts";
import type { Keyring } from "./keys/keyring.ts";
import type { ActorSnapshots } from "./records/snapshot.ts";
import type { SealableEntry } from "./sealing/seal.ts";
import type { JournalStore } from "./store/store.ts";

/** The state that is folded from the records and saved with them. */
export interface Projector {
  /** Takes each record that is appended, in order, just before its group is written. */
  apply(record: TypedRecord): void;
  snapshot(): ActorSnapshots;
}

/** The record by which a boot began, as it is remembered outside of the journal. */
export interface KnownRecord {
  readonly boot: string;
  readonly seq: number;
}

/** What a journal is opened with. */
export interface JournalOptions {
  /** Not open yet; the journal opens and closes it. */
  readonly store: JournalStore;
  /** Private keys of the log; the first one is made when the store is empty. */
  readonly keyring: Keyring;
  /** Identifier of this boot, unused before. */
  readonly boot: string;
  /** Stamps the records. */
  readonly clock: Clock;
  /** The machines of this writer, which its records name. */
  readonly machines: MachineIdentities;
  /** Where the salts of commitments come from; the operating system's randomness without it. */
  readonly randomBytes?: (bytes: number) => Uint8Array;
  /** Whether there is room for values beside the records; without it they are always kept. */
  readonly keepsValues?: () => boolean;
  /** Folds the records, for snapshots; none are taken without it. */
  readonly projector?: Projector;
  /**
   * Hears of each record of a writer as soon as it has its number, long before it is durable, and of all of
   * them in the order of their numbers. May not throw.
   */
  readonly onNumbered?: (record: TypedRecord) => void;
  /** The log that a new one goes on from; means nothing where there is a log already. */
  readonly parent?: LogParent;
  /**
   * The only log that the key at hand may begin, where a log is created; any other key is replaced first.
   * Without it the key is used as it is.
   */
  readonly ownOrigin?: string | null;
  /** Hears of the name of a log that is created, before its first record. */
  readonly onCreated?: (origin: string) => Promise<void>;
  /** A record that must be there, or else the journal is older than what was known of it and is left alone. */
  readonly known?: KnownRecord | null;
  /** Records between two snapshots; 1000 without it. */
  readonly snapshotEveryRecords?: number;
  /** Hears once that the journal takes no more records, and why. */
  readonly onFailed?: (error: FemtoError) => void;
}

/** A record that was appended. */
export interface Appended {
  /** Its sequence number. */
  readonly seq: number;
  /** Bytes that are stored for it: the record's own, and those beside it. */
  readonly bytes: number;
  /** As it was written: without secrets, and with commitments in place of large values. */
  readonly record: TypedRecord;
}

/** What may be appended: everything but the records that the journal writes itself. */
export type JournalEntry = Exclude<
  SealableEntry,
  {
    readonly type: "log.created" | "key.rotated" | "snapshot.taken" | "values.erased" | "log.pruned";
  }
>;
