/**
 * Parent of the execution actors. It is a map from identifier to actor and not a machine, because a machine as parent
 * copies its children on each spawn. Finished actors are removed at once.
 */
import {
  type ActorLogic,
  type ActorRefFrom,
  type ActorSystem,
  type AnyActorRef,
  type AnyEventObject,
  createActor,
  type Snapshot,
} from "xstate";
import { executionMachine } from "./execution.ts";

export type ExecutionActor = ActorRefFrom<typeof executionMachine>;

export type ExecutionsEvent =
  | { readonly type: "execution.received"; readonly id: string }
  /** An operator answered, or the time for an answer is over: the actor goes on from where it waited. */
  | { readonly type: "execution.resumed"; readonly id: string }
  /** A waiting execution is a record and no live actor, so that any number of them costs nothing. */
  | { readonly type: "execution.evicted"; readonly id: string }
  | { readonly type: `xstate.done.actor.${string}` | `xstate.error.actor.${string}`; readonly actorId: string };

type ExecutionsSnapshot = Snapshot<undefined> & { readonly live: Map<string, ExecutionActor> };

const WAITING = executionMachine.resolveState({ value: "awaitingApproval", context: { category: null } });

/** An actor system of any kind, in a type that declarations can name. */
type System = ActorSystem<{ actors: Record<string, AnyActorRef> }>;

export const executionsLogic: ActorLogic<ExecutionsSnapshot, ExecutionsEvent, unknown, System> = {
  getInitialSnapshot: () => ({
    status: "active",
    output: undefined,
    error: undefined,
    live: new Map(),
  }),
  transition(snapshot, event, scope) {
    const { live } = snapshot;
    if (event.type === "execution.received" || event.type === "execution.resumed") {
      const { id } = event;
      const from = event.type === "execution.resumed" ? { snapshot: WAITING } : {};
      const actor = createActor(executionMachine, { id, parent: scope.self as AnyActorRef, ...from });
      live.set(id, actor);
      actor.start();
      return snapshot;
    }
    if (event.type === "execution.evicted") {
      const actor = live.get(event.id);
      if (actor !== undefined) scope.stopChild(actor);
      live.delete(event.id);
      return snapshot;
    }
    if ((event as AnyEventObject).type === "xstate.stop") {
      for (const actor of live.values()) scope.stopChild(actor);
      live.clear();
      return { ...snapshot, status: "stopped" } as ExecutionsSnapshot;
    }
    if ("actorId" in event) live.delete(event.actorId);
    return snapshot;
  },
  // Executions live in the journal alone; a restart never revives an actor.
  getPersistedSnapshot: ({ status, output, error }) => ({ status, output, error }) as Snapshot<unknown>,
};
