/** The observability subsystem: keeps a telemetry exporter going. It may fail without harm to executions. */
import type { Clock, JournalEntry, JournalReader } from "@femtoclaw/journal";
import { errorText, LIMITS, printable, type TypedRecord } from "@femtoclaw/protocol";
import type { EventObject } from "xstate";
import type { ActorSystem } from "../actors/system.ts";
import { harmless } from "../harmless.ts";
import type { LogEntry } from "../options.ts";
import { settled } from "../settled.ts";
import type { TelemetryExporter, TelemetryGauges, TelemetrySource } from "../telemetry-port.ts";

/** LIMIT: milliseconds in which an exporter sends what is left, when the runtime ends. */
const FLUSH_MS = 3_000;

interface ObservabilityOptions {
  readonly system: ActorSystem;
  readonly clock: Clock;
  readonly exporter: TelemetryExporter | null;
  readonly reader: JournalReader;
  readonly stateDirectory: string;
  /** Name of the log. */
  readonly origin: string;
  gauges(): TelemetryGauges;
  record(entry: JournalEntry): void;
  log(entry: LogEntry): void;
}

type Change = Parameters<TelemetrySource["onChange"]>;

export class Observability {
  readonly #options: ObservabilityOptions;
  readonly #wake: (committed: readonly TypedRecord[]) => void;
  /** What the exporter reported before it was started; null once it is. */
  #early: Change[] | null = [];

  constructor(options: ObservabilityOptions) {
    this.#options = options;
    this.#wake = harmless("the exporter of telemetry", (committed: readonly TypedRecord[]) =>
      options.exporter?.wake(committed),
    );
  }

  /**
   * Loads the cursor and begins to export. If the exporter cannot begin, the subsystem is degraded, which is recorded.
   */
  async start(): Promise<void> {
    const { exporter } = this.#options;
    const kind = exporter === null ? "none" : kindOf(exporter);
    try {
      const cursor = await this.#begin();
      this.#record({ type: "observability.started", body: { exporter: kind, cursor, state: "exporting" } });
      this.#send({ type: "started" });
    } catch (error) {
      const reason = reasonOf(errorText(error));
      this.#record({ type: "observability.started", body: { exporter: kind, cursor: 0, state: "degraded", reason } });
      this.#send({ type: "degraded", reason });
    }
    const early = this.#early ?? [];
    this.#early = null;
    for (const change of early) this.#changed(...change);
  }

  async restart(): Promise<void> {
    await this.#begin();
  }

  wake(committed: readonly TypedRecord[]): void {
    this.#wake(committed);
  }

  /** An exporter that fails or hangs here keeps nothing else from ending. */
  async stop(): Promise<void> {
    this.#send({ type: "flush" });
    await settled(this.#options.clock, this.#flush(), 2 * FLUSH_MS);
    this.#send({ type: "stopped" });
  }

  async #flush(): Promise<void> {
    try {
      await this.#options.exporter?.stop(FLUSH_MS);
    } catch (error) {
      this.#options.log({ level: "warn", event: "observability.stop", reason: errorText(error) });
    }
  }

  async #begin(): Promise<number> {
    const { exporter, reader, stateDirectory, origin, clock, gauges } = this.#options;
    if (exporter === null) return 0;
    const cursor = await exporter.start({
      reader,
      stateDirectory,
      log: origin,
      size: () => reader.size,
      nowUs: () => clock.nowUs(),
      monotonicUs: () => clock.monotonicUs(),
      gauges,
      onChange: (...change) => {
        if (this.#early === null) this.#changed(...change);
        else this.#early.push(change);
      },
    });
    return cursorOf(cursor);
  }

  #changed(...[state, at, told]: Change): void {
    if (state !== "degraded" && state !== "exporting") throw new TypeError("an exporter is `exporting` or `degraded`");
    const cursor = cursorOf(at);
    const reason = told === undefined ? undefined : reasonOf(told);
    const moved = this.#send(
      state === "degraded" ? { type: "degraded", reason: reason ?? "unknown" } : { type: "recovered" },
    );
    if (!moved) return;
    const body = { state, cursor, ...(reason === undefined ? {} : { reason }) };
    this.#record({ type: "observability.changed", body });
    this.#options.log({ level: state === "degraded" ? "warn" : "info", event: "observability.changed", ...body });
  }

  #record(
    entry:
      | Pick<JournalEntry & { type: "observability.started" }, "type" | "body">
      | Pick<JournalEntry & { type: "observability.changed" }, "type" | "body">,
  ): void {
    this.#options.record({ ...entry, session: null, execution: null } as JournalEntry);
  }

  #send(event: EventObject & { readonly reason?: string }): boolean {
    return this.#options.system.send("observability", event);
  }
}

/** An exporter's text may come from a collector. A reason that does not fit into a record would end the runtime. */
function reasonOf(told: string): string {
  return printable(told, LIMITS.reasonChars);
}

// INVARIANT: I5: an exporter is code of others. What it says is recorded only in the form that the records demand, because
// a record that cannot be read back closes the journal for good.

function kindOf({ kind }: TelemetryExporter): TelemetryExporter["kind"] {
  if (kind === "otlp" || kind === "none") return kind;
  throw new TypeError("the `kind` of a telemetry exporter is `otlp` or `none`");
}

function cursorOf(cursor: unknown): number {
  if (Number.isSafeInteger(cursor) && Number(cursor) >= 0) return Number(cursor);
  throw new TypeError("the cursor of a telemetry exporter is the number of a record");
}
