/**
 * Wraps the logic of a subsystem so that it can crash as data: the event `subsystem.crashed` ends the actor with an
 * error that carries the time of the crash and reaches its supervisor. After that, a restart continues from the last
 * known state instead of from the beginning.
 */
import type { Crash } from "@femtoclaw/machines";
import type { AnyActorLogic, AnyEventObject, AnyStateMachine } from "xstate";

interface CrashEvent {
  readonly type: "subsystem.crashed";
  readonly crash: Crash;
}

export function supervised<Logic extends AnyStateMachine>(
  machine: Logic,
  lastState: () => { readonly value: unknown; readonly context: unknown } | undefined,
): Logic {
  const logic: AnyActorLogic = machine;
  const wrapped: Pick<AnyActorLogic, "transition" | "getInitialSnapshot"> = {
    transition(snapshot, event: AnyEventObject, scope) {
      if (event.type !== "subsystem.crashed") return logic.transition(snapshot, event, scope);
      return { ...snapshot, status: "error", error: (event as unknown as CrashEvent).crash };
    },
    getInitialSnapshot(scope, input) {
      const state = lastState();
      if (state === undefined) return logic.getInitialSnapshot(scope, input);
      return machine.resolveState(state as Parameters<AnyStateMachine["resolveState"]>[0]);
    },
  };
  return Object.assign(Object.create(machine) as Logic, wrapped);
}
