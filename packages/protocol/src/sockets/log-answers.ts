/** What a host answers to operators about its log. */
import type { ActorSnapshot, LogParent, PolicyActivatedBody } from "../generated/types.ts";
import type { TypedRecord } from "../messages/records.ts";

/** Some records, and how many the log has. */
export interface RecordPage {
  /** Number of records in the log. */
  readonly size: number;
  /** In order; empty if there is nothing new. */
  readonly records: readonly TypedRecord[];
}

/** Proof that a record stands in the signed log. */
export interface ProvedRecord {
  readonly seq: number;
  /** A proof that `femtoclaw audit check-proof` can read. */
  readonly proof: string;
  /** The record's bytes in base64; null if it was pruned. */
  readonly record: string | null;
}

/** A log that was exported. */
export interface ExportedLog {
  /** Number of exported records. */
  readonly size: number;
  /** Number of values exported beside them; null if none were asked for. */
  readonly values: number | null;
}

/** What a pruning would do, or has done. */
export interface Pruning {
  /** Records below this number go. */
  readonly before: number;
  /** The number below which records are gone already. */
  readonly since: number;
  /** How many records go. */
  readonly records: number;
  /** Numbers of the records below `before` that stay, because they name the log and its keys. */
  readonly keep: readonly number[];
}

/** Values that were erased. */
export interface Erased {
  /** The record that commits to the values. */
  readonly seq: number;
  readonly paths: readonly string[];
  /** The record of their erasure. */
  readonly record: number;
}

/** The name and public keys of a log, as its own records state them. */
export interface LogKeys {
  readonly origin: string;
  /** The log that this one continues. */
  readonly parent: LogParent | null;
  /** The key in force. */
  readonly vkey: string;
  readonly keys: readonly {
    readonly vkey: string;
    readonly from_size: number;
    readonly retired_at_size: number | null;
  }[];
}

/** A fork: a new log, and what it continues. */
export interface Fork {
  /** Name of the new log. */
  readonly origin: string;
  /** Its public key. */
  readonly vkey: string;
  /** The log that it continues, as its first record names it. */
  readonly parent: LogParent;
  /** Canonical path of the new state directory. */
  readonly directory: string;
  /** Executions whose outcome nobody knew at that record. */
  readonly unresolved: number;
}

type DecidedType = "execution.intent" | "execution.refused" | "approval.asked";
/** A record that says what was decided about a call: its intent, its refusal, or a question about it. */
export type DecidedRecord = TypedRecord & { readonly type: DecidedType };

/** A redirect, or a host that a program wanted to connect to. It was decided by itself, within a permitted call. */
type HopRecord = TypedRecord & { readonly type: "execution.hop" };
/** A decision about a call, or about a hop of one. */
export type ToldRecord = DecidedRecord | HopRecord;

/** One decision, and the policy that made it. */
export interface RecordedDecision {
  /** The refusal, the question, the intent or the hop, including what was stored beside it. */
  readonly record: ToldRecord;
  /** The policy that the record's revision names; null if none decided, or if its record is gone. */
  readonly policy: PolicyActivatedBody | null;
  /** The activation with the rules that were on trial; absent if there were none, null if its record is gone. */
  readonly trial?: PolicyActivatedBody | null;
}

/** The state after a record, folded from all records before it. */
export interface ReplayedState {
  readonly records: number;
  /** The first record that was folded. */
  readonly from: number;
  /** Number of stored snapshots that equal the state that was folded up to them. */
  readonly snapshots_equal: number;
  readonly actors: Readonly<Record<string, ActorSnapshot>>;
}
