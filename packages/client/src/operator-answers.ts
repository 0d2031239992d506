/** What a host answers an operator, where the answer has a fixed form. Names are those of the operator's socket. */
import type { TypedRecord } from "@femtoclaw/protocol";

/** What a reload came to. */
export interface ReloadAnswer {
  /** Revision of the policy in force now, and of the one before. */
  readonly revision: string;
  readonly before: string;
  /** The same of the rules on trial; null where there are none. */
  readonly shadow: string | null;
  readonly shadow_before: string | null;
}

/** A session that was halted. */
export interface HaltAnswer {
  /** The record that says so; the one before, where the session was halted already. */
  readonly seq: number;
  /** Executions that were stopped before their effect or asked to end. */
  readonly stopped: number;
}

/** Output of a terminal, from a place on. */
export interface WatchedTerminal {
  /** In base64; empty where nothing was written since. */
  readonly data: string;
  /** The place from which to ask next, in bytes. */
  readonly next: number;
  /** Bytes between the place that was asked for and `data` that are not kept any more. */
  readonly missed: number;
  readonly cols: number;
  readonly rows: number;
  /** Whether anything still runs on it. */
  readonly running: boolean;
}

/** Proof that a record stands in the signed log. */
export interface ProvedRecord {
  readonly seq: number;
  /** As `femtoclaw audit check-proof` reads it. */
  readonly proof: string;
  /** The record's bytes in base64; null where it was pruned. */
  readonly record: string | null;
}

/** Some records, and how many the log has. */
export interface RecordPage {
  readonly size: number;
  readonly records: TypedRecord[];
}

/** A log that was exported. */
export interface ExportAnswer {
  /** Records of the export. */
  readonly size: number;
  /** Values that were exported beside them; null where none were asked for. */
  readonly values: number | null;
}

/** What pruning comes to. */
export interface PruneAnswer {
  /** Records below this number go. */
  readonly before: number;
  /** The number below which they were gone already. */
  readonly since: number;
  /** How many go. */
  readonly records: number;
  /** Those below `before` that stay, because they name the log and its keys. */
  readonly keep: number[];
}

/** A stored secret without its value: requests to this host and port may carry it. */
export interface SecretView {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}
