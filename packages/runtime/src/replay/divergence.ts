/** The findings of a recomputation, in words for people and as data. */
import type { MachineIdentity, RecordType } from "@femtoclaw/protocol";
import type { StateDifference } from "./state-difference.ts";

/** The first record at which the recorded history and what its machine makes of it differ. */
export interface Divergence {
  /** The record, and its type. */
  readonly seq: number;
  readonly type: RecordType;
  /** The actor whose state or event this is about. */
  readonly actor: string;
  /** The machine that was in force; null for a state that no machine holds. */
  readonly machine: MachineIdentity | null;
  readonly reason: string;
  readonly recorded: unknown;
  readonly recomputed: unknown;
  /** Place by place, if both sides are states that can be compared. */
  readonly differences: readonly StateDifference[];
}

/** Why nothing can be said about a record and those after it. */
export interface Obstacle {
  /** The record. */
  readonly seq: number;
  readonly reason: string;
}

/** A machine, and the first record that it folded. */
export interface MachineUse extends MachineIdentity {
  readonly from: number;
}
