/**
 * The boots of a log, folded from its records: what comes before the first one, which one it is, how the last one ended,
 * and what runs in it.
 */
import type { ActorSnapshot, LogParent, TypedRecord } from "@femtoclaw/protocol";
import { corrupt } from "./execution-records.ts";
import { HOST, stateOf } from "./holders.ts";

/** The state of the actor `host` in a snapshot. Its digest is recorded, so the order of the fields stays the same. */
export interface HostState {
  /** The log that this one continues. */
  readonly parent: LogParent | null;
  /** Identifier of the current boot; null before the first one. */
  readonly boot: string | null;
  /** Number of boots, including the current one. */
  readonly boots: number;
  /** SHA-256 of the configuration that the current boot started with. */
  readonly configuration: string | null;
  /** How the current boot ended: "crash" until it ends cleanly; "none" before the first boot. */
  readonly ended: "none" | "clean" | "crash";
  /** Executions of this boot between intent and outcome. */
  readonly running: number;
}

export class Boots {
  #state: HostState = { parent: null, boot: null, boots: 0, configuration: null, ended: "none", running: 0 };

  /** Throws FEMTO_JOURNAL_FORMAT if the snapshot has no state of a host that is known here. */
  static stored(actors: Readonly<Record<string, ActorSnapshot>>): Boots {
    const boots = new Boots();
    boots.#state = structuredClone(stateOf(actors, "host", HOST)) as HostState;
    return boots;
  }

  get state(): HostState {
    return this.#state;
  }

  /** Notes the log that this one continues. */
  found(parent: LogParent | null): void {
    this.#state = { ...this.#state, parent };
  }

  /**
   * Whether the record takes something over from the log's parent. Such records stand only between the first record of a
   * log that has a parent and its first boot. Throws FEMTO_JOURNAL_CORRUPT for one that stands elsewhere.
   */
  isFounding(record: TypedRecord): boolean {
    const { parent, boot } = this.#state;
    const founds = record.type === "epoch.opened" || record.type === "execution.inherited";
    const isDue = parent !== null && record.seq === 1;
    if ((record.type === "epoch.opened") !== isDue || (founds && (parent === null || boot !== null))) {
      throw corrupt(
        record,
        isDue ? "a log with a parent goes on with epoch.opened" : "a log takes over once, at first",
      );
    }
    return founds;
  }

  /** Begins a boot. Throws FEMTO_JOURNAL_CORRUPT if the record contradicts how the last one ended. */
  start(record: TypedRecord & { type: "boot.started" }): void {
    const { previous_boot, previous_end, configuration } = record.body;
    const last = this.#state;
    const changed = last.configuration !== null && last.configuration !== configuration.sha256;
    if (previous_boot !== last.boot || previous_end !== last.ended || configuration.changed !== changed) {
      throw corrupt(record, `it contradicts how boot ${last.boot} ended (${last.ended})`);
    }
    this.#state = {
      parent: last.parent,
      boot: record.boot,
      boots: last.boots + 1,
      configuration: configuration.sha256,
      ended: "crash",
      running: 0,
    };
  }

  /** Ends the boot cleanly. */
  end(): void {
    this.#state = { ...this.#state, ended: "clean" };
  }

  /** Counts an execution that began or ended; returns the event for the lifecycle if it was the first or the last. */
  run(change: -1 | 0 | 1): "execution.began" | "execution.ended" | null {
    if (change === 0) return null;
    const before = this.#state.running;
    this.#state = { ...this.#state, running: before + change };
    if (before === 0) return "execution.began";
    return this.#state.running === 0 ? "execution.ended" : null;
  }
}
