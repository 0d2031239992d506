// Generated from the machines by `npm run generate`. Do not edit.
import type { MachineIdentity } from "@femtoclaw/protocol/types";
import type { AnyStateMachine } from "xstate";

export interface FrozenMachine extends MachineIdentity {
  /** URL of the file whose digest identifies it. */
  readonly url: string;
  load(): Promise<AnyStateMachine>;
}

export declare const FROZEN_MACHINES: readonly FrozenMachine[];
