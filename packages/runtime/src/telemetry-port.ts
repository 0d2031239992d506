/** What the runtime asks of an exporter of telemetry. Exporters read the journal; they never stand in its way. */
import type { JournalReader } from "@femtoclaw/journal";
import type { TypedRecord } from "@femtoclaw/protocol";

/** Sends the journal elsewhere, as `Telemetry` of `@femtoclaw/telemetry` does. */
export interface TelemetryExporter {
  /** How the journal's records name it: `none` for one that sends nothing by itself. */
  readonly kind: "otlp" | "none";
  /**
   * Loads its cursor and begins to export what follows it. `onChange` reports each time that export
   * degrades or works again. Resolves with the cursor: the next sequence number to export.
   */
  start(source: TelemetrySource): Promise<number>;
  /** Says that these records were committed, in the moment in which they are durable. */
  wake(committed: readonly TypedRecord[]): void;
  /** Exports what is left, within the time, and stops. Resolves with the cursor. */
  stop(deadlineMs: number): Promise<number>;
}

/** What an exporter reads, and where it says how it fares. */
export interface TelemetrySource {
  readonly reader: JournalReader;
  /** Folder in which it keeps its cursor. */
  readonly stateDirectory: string;
  /** Name of the log that is read. */
  readonly log: string;
  /** Number of durable records. */
  size(): number;
  /** Microseconds since 1970. */
  nowUs(): number;
  /** The clock that records are stamped with. */
  monotonicUs(): number;
  /** What is so at the moment, and stands in no record. */
  gauges(): TelemetryGauges;
  onChange(state: "exporting" | "degraded", cursor: number, reason?: string): void;
}

/** What is so at one moment and stands in no record. */
export interface TelemetryGauges {
  /** Whether calls are taken. */
  readonly ready: boolean;
  /** Executions in the gate, and calls that wait to enter it. */
  readonly running: number;
  readonly queued: number;
  /** Interrupted executions of which no operator has said yet what became of them. */
  readonly unresolved: number;
  /** Calls that wait for an operator. */
  readonly waiting: number;
  /** Open sessions, and terminals on which something runs. */
  readonly sessions: number;
  readonly terminals: number;
  /** Bytes free on the disk of the state directory beside the reserve; null when it does not tell. */
  readonly freeBytes: number | null;
  /** Bytes of the journal's files; null for one that lies on no disk. */
  readonly journalBytes: number | null;
}
