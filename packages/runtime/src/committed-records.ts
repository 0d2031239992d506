/** Keeps the live root machine in step with the durable records, and informs those who follow the log. */
import type { Clock } from "@femtoclaw/journal";
import type { TypedRecord } from "@femtoclaw/protocol";
import type { ActorSystem } from "./actors/system.ts";
import { LogGrowth } from "./log-growth.ts";
import type { LogEntry } from "./options.ts";

interface CommittedRecordsParts {
  readonly system: ActorSystem;
  readonly clock: Pick<Clock, "after">;
  log(entry: LogEntry): void;
}

export class CommittedRecords {
  readonly #system: ActorSystem;
  readonly #log: (entry: LogEntry) => void;
  readonly growth: LogGrowth;
  /** Number of intents without an outcome. */
  #executing = 0;

  constructor({ system, clock, log }: CommittedRecordsParts) {
    this.#system = system;
    this.#log = log;
    this.growth = new LogGrowth(clock);
  }

  /**
   * The root is `executing` while an intent has no outcome. It learns of intents and outcomes when they are durable.
   */
  take(records: readonly TypedRecord[]): void {
    for (const { type, seq, session, body } of records) {
      switch (type) {
        case "session.halted":
          this.#log({ level: "warn", event: type, session, code: body.code });
          break;
        case "approval.asked":
          this.#log({ level: "info", event: type, id: String(seq), tool: body.tool });
          break;
        case "execution.intent":
          this.#executing += 1;
          if (this.#executing === 1) this.#system.advance({ type: "execution.began" });
          break;
        case "execution.outcome":
          this.#executing -= 1;
          if (this.#executing === 0) this.#system.advance({ type: "execution.ended" });
          break;
        default:
      }
    }
    this.growth.grown();
  }
}
