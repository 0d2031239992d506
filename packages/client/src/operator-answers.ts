/** The answers to an operator that have a fixed form. Names are those of the operator's socket. */
import type { TypedRecord } from "@femtoclaw/protocol";

/** The result of a reload. */
export interface ReloadAnswer {
  /** Revisions of the policy in force now, and before the reload. */
  readonly revision: string;
  readonly before: string;
  /** The same for the rules on trial; null if there are none. */
  readonly shadow: string | null;
  readonly shadow_before: string | null;
}

/** A session that was halted. */
export interface HaltAnswer {
  /** The number of the record that halts the session; of an earlier one if it was halted already. */
  readonly seq: number;
  /** Executions that were stopped before their effect, or asked to end. */
  readonly stopped: number;
}

/** Output of a terminal from a position on. */
export interface WatchedTerminal {
  /** In base64; empty if nothing was written since. */
  readonly data: string;
  /** The position to ask for next, in bytes. */
  readonly next: number;
  /** Bytes between the requested position and `data` that are no longer kept. */
  readonly missed: number;
  readonly cols: number;
  readonly rows: number;
  /** Whether anything still runs on the terminal. */
  readonly running: boolean;
}

/** Proof that a record stands in the signed log. */
export interface ProvedRecord {
  readonly seq: number;
  /** A proof that `femtoclaw audit check-proof` can read. */
  readonly proof: string;
  /** The record's bytes in base64; null if it was pruned. */
  readonly record: string | null;
}

/** Some records, and how many the log has. */
export interface RecordPage {
  readonly size: number;
  readonly records: TypedRecord[];
}

/** A log that was exported. */
export interface ExportAnswer {
  /** Number of exported records. */
  readonly size: number;
  /** Number of values exported beside them; null if none were asked for. */
  readonly values: number | null;
}

/** What pruning would do, or has done. */
export interface PruneAnswer {
  /** Records below this number are dropped. */
  readonly before: number;
  /** Records below this number were dropped before. */
  readonly since: number;
  /** How many are dropped. */
  readonly records: number;
  /** Records below `before` that stay, because they name the log and its keys. */
  readonly keep: number[];
}

/** A stored secret without its value; requests to this host and port may carry it. */
export interface SecretView {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}
