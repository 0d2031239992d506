/** The fault with which a runtime cannot go on. The first fault counts, and it closes admission for good. */
import type { Fault } from "@femtoclaw/machines";
import { errorText, FemtoError } from "@femtoclaw/protocol";
import type { ActorSystem } from "./actors/system.ts";
import type { Chronicle } from "./chronicle.ts";
import type { LogEntry } from "./options.ts";

interface RuntimeFaultParts {
  readonly system: ActorSystem;
  readonly chronicle: Pick<Chronicle, "advance">;
  log(entry: LogEntry): void;
  /** Stops everything that already runs. */
  stop(reason: string): void;
}

export class RuntimeFault {
  readonly #parts: RuntimeFaultParts;
  readonly #met = Promise.withResolvers<FemtoError>();
  #first: Fault | null = null;

  constructor(parts: RuntimeFaultParts) {
    this.#parts = parts;
  }

  /** The first fault; null if there is none. */
  get first(): Fault | null {
    return this.#first;
  }

  /** The first fault as an error; null if there is none. */
  get error(): FemtoError | null {
    return this.#first === null ? null : faultError(this.#first);
  }

  /** Resolves when a fault is met after the start. */
  get met(): Promise<FemtoError> {
    return this.#met.promise;
  }

  meet(fault: Fault): void {
    this.#first ??= fault;
    this.#parts.chronicle.advance({ type: "fault", fault });
    this.#parts.stop(fault.reason);
    this.#met.resolve(faultError(fault));
  }

  journalFailed(error: unknown): void {
    const fault: Fault = { code: "FEMTO_JOURNAL_WRITE_FAILED", reason: errorText(error) };
    this.#parts.system.send("memory", { type: "fail", fault } as { type: string });
    this.meet(fault);
  }

  /** The root has moved to `error` by itself; what is left is to report it. */
  subsystemLost(reason: string): void {
    if (this.#parts.system.phase === "error") this.meet({ code: "FEMTO_SUBSYSTEM_LOST", reason });
    else this.#parts.log({ level: "warn", event: "subsystem.lost", reason });
  }

  /** A start or an end failed. Its caller gets the exception, and ends what still runs. */
  failed(error: unknown): void {
    const code = error instanceof FemtoError ? error.code : "FEMTO_INTERNAL";
    this.#first ??= { code, reason: errorText(error) };
    this.#parts.chronicle.advance({ type: "fault", fault: this.#first });
  }
}

function faultError({ code, reason }: Fault): FemtoError {
  return new FemtoError(code as FemtoError["code"], reason);
}
