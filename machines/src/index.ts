/** Every state machine of FemtoClaw, with its version. Pure: machines import only XState and protocol types. */
export { FROZEN_MACHINES, type FrozenMachine } from "../frozen/index.js";
export {
  type ExecutionContext,
  type ExecutionEvent,
  type ExecutionState,
  executionMachine,
} from "./execution.ts";
export { type ExecutionActor, type ExecutionsEvent, executionsLogic } from "./executions.ts";
export type { Fault } from "./fault.ts";
export { MACHINE_IDENTITIES } from "./generated/identities.ts";
export {
  type Crash,
  type LifecycleContext,
  type LifecycleEvent,
  type LifecycleInput,
  lifecycleMachine,
  type Phase,
  phaseOf,
  type Subsystem,
} from "./lifecycle.ts";
export { type MemoryContext, type MemoryEvent, memoryMachine } from "./memory.ts";
export {
  type ObservabilityContext,
  type ObservabilityEvent,
  observabilityMachine,
} from "./observability.ts";
export { type PolicyContext, type PolicyEvent, policyMachine } from "./policy.ts";
export { recordedEvents } from "./recorded-events.ts";
export { type RegistryContext, type RegistryEvent, registryMachine } from "./registry.ts";
