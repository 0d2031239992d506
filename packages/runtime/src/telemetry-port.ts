/** What the runtime asks of an exporter of telemetry. Exporters read the journal; they never stand in its way. */
import type { JournalReader } from "@femtoclaw/journal";

export interface TelemetryExporter {
  readonly kind: "otlp";
  /**
   * Loads its cursor and begins to export what follows it. `onChange` reports each time that export
   * degrades or works again. Resolves with the cursor: the next sequence number to export.
   */
  start(source: TelemetrySource): Promise<number>;
  /** Says that records were committed. */
  wake(): void;
  /** Exports what is left, within the time, and stops. Resolves with the cursor. */
  stop(deadlineMs: number): Promise<number>;
}

export interface TelemetrySource {
  readonly reader: JournalReader;
  readonly stateDirectory: string;
  /** Number of durable records. */
  size(): number;
  onChange(state: "exporting" | "degraded", cursor: number, reason?: string): void;
}
