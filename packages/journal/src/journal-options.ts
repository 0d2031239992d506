/** What a journal is opened with: its store, its keys, its clock, and what is folded from its records. */
import type { FemtoError, MachineIdentities, TypedRecord } from "@femtoclaw/protocol";
import type { Keyring } from "./keyring.ts";
import type { SealableEntry } from "./sealing/seal.ts";
import type { ActorSnapshots } from "./snapshot.ts";
import type { JournalStore } from "./store.ts";

/** Where time comes from; both count whole microseconds. */
export interface JournalClock {
  /** Since 1970, for people. */
  nowUs(): number;
  /** Since this boot began; never runs backwards. */
  monotonicUs(): number;
}

/** The state that is folded from the records and saved with them. */
export interface Projector {
  /** Takes each record that is appended, in order, just before its group is written. */
  apply(record: TypedRecord): void;
  snapshot(): ActorSnapshots;
}

export interface JournalOptions {
  readonly store: JournalStore;
  /** Private keys of the log; the first one is made when the store is empty. */
  readonly keyring: Keyring;
  /** Identifier of this boot, unused before. */
  readonly boot: string;
  readonly clock: JournalClock;
  /** The machines of this writer, which its records name. */
  readonly machines: MachineIdentities;
  /** Where the salts of commitments come from; the operating system's randomness without it. */
  readonly randomBytes?: (bytes: number) => Uint8Array;
  readonly projector?: Projector;
  readonly snapshotEveryRecords?: number;
  /** Hears once that the journal takes no more records, and why. */
  readonly onFailed?: (error: FemtoError) => void;
}

export interface Appended {
  readonly seq: number;
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
