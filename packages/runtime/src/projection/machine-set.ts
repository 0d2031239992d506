/** The machines that a projection folds with: those of this FemtoClaw, or those that recorded history names. */
import {
  executionMachine,
  lifecycleMachine,
  MACHINE_IDENTITIES,
  memoryMachine,
  observabilityMachine,
  policyMachine,
  registryMachine,
} from "@femtoclaw/machines";
import type { MachineId, MachineIdentity } from "@femtoclaw/protocol";
import type { AnyStateMachine } from "xstate";

export interface FoldingMachine {
  readonly identity: MachineIdentity;
  readonly logic: AnyStateMachine;
}

export type MachineSet = Readonly<Record<MachineId, FoldingMachine>>;

export const LIVE_MACHINES: MachineSet = {
  lifecycle: { identity: MACHINE_IDENTITIES.lifecycle, logic: lifecycleMachine },
  memory: { identity: MACHINE_IDENTITIES.memory, logic: memoryMachine },
  registry: { identity: MACHINE_IDENTITIES.registry, logic: registryMachine },
  policy: { identity: MACHINE_IDENTITIES.policy, logic: policyMachine },
  observability: { identity: MACHINE_IDENTITIES.observability, logic: observabilityMachine },
  execution: { identity: MACHINE_IDENTITIES.execution, logic: executionMachine },
};
