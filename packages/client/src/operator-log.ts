/** What an operator may ask of a running host's log: records, checkpoints, proofs, exports, erasing, pruning, forks. */
import type {
  Erased,
  ExportedLog,
  Fork,
  LogKeys,
  ProvedRecord,
  Pruning,
  RecordPage,
  ReplayedState,
} from "@femtoclaw/protocol";
import { OperatorConnection } from "./operator-connection.ts";

/** The part of an `OperatorClient` that reads the log, and that removes or copies what is in it. */
export abstract class OperatorLog extends OperatorConnection {
  /** A proof that a record stands in the signed log, with the record's bytes unless it was pruned. */
  prove(ref: string): Promise<ProvedRecord> {
    return this.ask("audit.prove", { ref });
  }

  /**
   * Records from a number on, as many as fit into one answer, and how many there are. If there are none, waits up to
   * `waitMs` milliseconds for the next one; without that, rejects with FEMTO_HOST_SILENT if the host does not answer.
   */
  records(from: number, waitMs = 0): Promise<RecordPage> {
    const fields = { from, wait_ms: waitMs };
    return waitMs === 0 ? this.askSoon("log.records", fields) : this.ask("log.records", fields);
  }

  /** The state before the newest records; null if there are few enough records to read all of them. */
  logSummary(): Promise<unknown> {
    return this.ask("log.summary");
  }

  /** A fresh signed checkpoint. */
  checkpoint(): Promise<string> {
    return this.ask("audit.checkpoint");
  }

  /** Sizes of the trees that were signed, ascending. */
  checkpoints(): Promise<readonly number[]> {
    return this.ask("audit.checkpoints");
  }

  /** Makes the host write the log to a path of its own machine, which must not exist yet; with `values`, those beside it too. */
  exportLog(request: {
    readonly format: string;
    readonly out: string;
    readonly values: boolean;
  }): Promise<ExportedLog> {
    return this.ask("audit.export", request);
  }

  /** What dropping the oldest records would do; with `sure`, drops them for good. Throws FEMTO_PRUNE_REFUSED. */
  prune(request: {
    readonly before?: number;
    readonly older_than_ms?: number;
    readonly sure: boolean;
  }): Promise<Pruning> {
    return this.ask("audit.prune", request);
  }

  /**
   * Erases the values to which a record, or any record of an execution, commits; when it resolves, no file has them.
   */
  eraseValues(request: {
    readonly ref: string;
    readonly field?: string;
    readonly reason: string;
  }): Promise<readonly Erased[]> {
    return this.ask("audit.erase", request);
  }

  /** The name and the public keys of the log. */
  keys(): Promise<LogKeys> {
    return this.ask("keys.show");
  }

  /** Replaces the log's key by a new one; resolves with the new public key. */
  rotateKey(): Promise<string> {
    return this.ask("keys.rotate");
  }

  /**
   * Makes the host create a state directory, on its own machine, that continues from a record of its log. Throws
   * FEMTO_FORK_REFUSED.
   */
  fork(seq: number, out: string): Promise<Fork> {
    return this.ask("fork", { seq, out });
  }

  /** Folds the journal up to a record, and compares stored snapshots on the way. */
  replay(query: { readonly to?: number }): Promise<ReplayedState> {
    return this.ask("replay", query);
  }
}
