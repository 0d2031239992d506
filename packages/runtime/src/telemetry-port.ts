/** What the runtime expects of a telemetry exporter. Exporters read the journal; they never hold it up. */
import type { JournalReader } from "@femtoclaw/journal";
import type { TypedRecord } from "@femtoclaw/protocol";

/** Sends the journal elsewhere, as `Telemetry` of `@femtoclaw/telemetry` does. */
export interface TelemetryExporter {
  /** The exporter's name in the journal's records; `none` if it sends nothing by itself. */
  readonly kind: "otlp" | "none";
  /**
   * Loads the cursor and begins to export what follows it. `onChange` reports each time that the export degrades or
   * works again. Resolves with the cursor: the next sequence number to export.
   */
  start(source: TelemetrySource): Promise<number>;
  /** Announces committed records, at the moment when they are durable. */
  wake(committed: readonly TypedRecord[]): void;
  /** Exports what is left within the deadline, and stops. Resolves with the cursor. */
  stop(deadlineMs: number): Promise<number>;
}

/** What an exporter reads, and how it reports its state. */
export interface TelemetrySource {
  readonly reader: JournalReader;
  /** Folder in which the exporter keeps its cursor. */
  readonly stateDirectory: string;
  /** Name of the log that is read. */
  readonly log: string;
  /** Number of durable records. */
  size(): number;
  /** Microseconds since 1970. */
  nowUs(): number;
  /** The clock that records are stamped with. */
  monotonicUs(): number;
  /** The current values that stand in no record. */
  gauges(): TelemetryGauges;
  onChange(state: "exporting" | "degraded", cursor: number, reason?: string): void;
}

/** Current values that stand in no record. */
export interface TelemetryGauges {
  /** Whether calls are taken. */
  readonly ready: boolean;
  /** Executions in the gate, and calls that wait to enter it. */
  readonly running: number;
  readonly queued: number;
  /** Interrupted executions for which no operator has said yet what became of them. */
  readonly unresolved: number;
  /** Calls that wait for an operator. */
  readonly waiting: number;
  /** Open sessions, and terminals on which a program runs. */
  readonly sessions: number;
  readonly terminals: number;
  /** Free bytes on the disk of the state directory, not counting the reserve; null if the disk does not tell. */
  readonly freeBytes: number | null;
  /** Bytes of the journal's files; null for a journal that is not on a disk. */
  readonly journalBytes: number | null;
}
