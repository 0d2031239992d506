/** What the journal adds to a writer's entry: number, time, boot, and the state machine that the writer follows. */
import { type MachineId, type MachineIdentities, RECORD_FORMAT, type TypedRecord } from "@femtoclaw/protocol";
import type { Clock } from "../clock.ts";
import { UtcFormat } from "./record.ts";

export type RecordFrame = Pick<TypedRecord, "v" | "seq" | "at" | "mono_us" | "boot" | "machine">;

/** Makes the frames of all records that one boot writes. */
export class Frames {
  readonly #boot: string;
  readonly #clock: Clock;
  readonly #machines: MachineIdentities;
  readonly #utc = new UtcFormat();

  constructor(boot: string, clock: Clock, machines: MachineIdentities) {
    this.#boot = boot;
    this.#clock = clock;
    this.#machines = machines;
  }

  /** The frame of record `seq`, stamped with the current time. */
  of(seq: number, machine: MachineId): RecordFrame {
    return {
      v: RECORD_FORMAT,
      seq,
      at: this.#utc.format(this.#clock.nowUs()),
      mono_us: this.#clock.monotonicUs(),
      boot: this.#boot,
      machine: this.#machines[machine],
    };
  }
}
