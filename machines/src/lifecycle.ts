/**
 * The root: the phases of the runtime's life, and supervision of its four subsystems. A crashed subsystem is restarted
 * after a pause, until its crashes within a window exceed a limit and it is lost. Losing one ends the runtime, except
 * for observability: the runtime goes on degraded without it.
 */
import { assign, enqueueActions, raise, setup } from "xstate";
import { executionsLogic } from "./executions.ts";
import type { Fault } from "./fault.ts";
import { memoryMachine } from "./memory.ts";
import { observabilityMachine } from "./observability.ts";
import { policyMachine } from "./policy.ts";
import { registryMachine } from "./registry.ts";

export const LIFECYCLE_VERSION = "3";

export type Subsystem = "memory" | "registry" | "policy" | "observability";

/** What a crashed subsystem leaves behind. The time is part of it, because machines have no clock. */
export interface Crash extends Fault {
  readonly atMs: number;
}

export type LifecycleEvent =
  | { readonly type: "integrity.verified" | "configuration.loaded" | "memory.ready" | "registry.ready" }
  | { readonly type: "policy.ready" | "observability.ready" }
  | { readonly type: "execution.began" | "execution.ended" }
  | { readonly type: "drain" | "drained" | "shutdown" | "stopped" }
  | { readonly type: "fault"; readonly fault: Fault }
  | { readonly type: "subsystem.restart"; readonly subsystem: Subsystem };

export interface LifecycleInput {
  readonly restartsMax: number;
  readonly windowMs: number;
}

export interface LifecycleContext extends LifecycleInput {
  readonly fault: Fault | null;
  /** Times of the crashes of each subsystem within the window. */
  readonly crashesMs: Readonly<Record<Subsystem, readonly number[]>>;
}

/** XState types a child's error as unknown. Our crashes always have this shape. */
function crashOf(event: unknown): Crash {
  const { error } = event as { readonly error?: Partial<Crash> };
  return { code: error?.code ?? "FEMTO_INTERNAL", reason: error?.reason ?? "unknown", atMs: error?.atMs ?? 0 };
}

function recentCrashes(context: LifecycleContext, subsystem: Subsystem, atMs: number): number[] {
  return [...context.crashesMs[subsystem], atMs].filter((crashMs) => atMs - crashMs < context.windowMs);
}

const onFault = { target: "#error", actions: "keepFault" } as const;
const onShutdown = { target: "#shuttingDown" } as const;

/** One region for each subsystem: it runs, waits to be restarted, or is lost. */
const region = <Name extends Subsystem>(subsystem: Name) =>
  ({
    initial: "up",
    states: {
      up: {
        invoke: {
          src: subsystem,
          id: subsystem,
          systemId: subsystem,
          onError: [
            {
              guard: { type: "mayRestart", params: { subsystem } },
              target: "backoff",
              actions: { type: "countCrash", params: { subsystem } },
            },
            {
              target: "lost",
              actions: [
                { type: "countCrash", params: { subsystem } },
                { type: "lose", params: { subsystem } },
              ],
            },
          ],
        },
      },
      backoff: {
        on: { "subsystem.restart": { guard: { type: "isSubsystem", params: { subsystem } }, target: "up" } },
      },
      lost: {},
    },
  }) as const;

export const lifecycleMachine = setup({
  types: {
    context: {} as LifecycleContext,
    events: {} as LifecycleEvent,
    input: {} as LifecycleInput | undefined,
  },
  actors: {
    executions: executionsLogic,
    memory: memoryMachine,
    registry: registryMachine,
    policy: policyMachine,
    observability: observabilityMachine,
  },
  actions: {
    keepFault: assign(({ event }) => (event.type === "fault" ? { fault: event.fault } : {})),
    countCrash: assign(({ context, event }, params: { readonly subsystem: Subsystem }) => ({
      crashesMs: {
        ...context.crashesMs,
        [params.subsystem]: recentCrashes(context, params.subsystem, crashOf(event).atMs),
      },
    })),
    // INVARIANT: I3: without journal, registry or policy nothing may execute, so their loss ends the runtime.
    lose: enqueueActions(({ event, enqueue }, params: { readonly subsystem: Subsystem }) => {
      if (params.subsystem === "observability") return;
      const reason = `${params.subsystem}: ${crashOf(event).reason}`;
      enqueue(raise({ type: "fault", fault: { code: "FEMTO_SUBSYSTEM_LOST", reason } }));
    }),
  },
  guards: {
    isSubsystem: ({ event }, params: { readonly subsystem: Subsystem }) =>
      event.type === "subsystem.restart" && event.subsystem === params.subsystem,
    mayRestart: ({ context, event }, params: { readonly subsystem: Subsystem }) =>
      recentCrashes(context, params.subsystem, crashOf(event).atMs).length <= context.restartsMax,
  },
}).createMachine({
  id: "lifecycle",
  version: LIFECYCLE_VERSION,
  options: { maxIterations: 100 },
  type: "parallel",
  invoke: { src: "executions", id: "executions", systemId: "executions" },
  context: ({ input }) => ({
    restartsMax: input?.restartsMax ?? 3,
    windowMs: input?.windowMs ?? 60_000,
    fault: null,
    crashesMs: { memory: [], registry: [], policy: [], observability: [] },
  }),
  states: {
    phase: {
      initial: "initializing",
      states: {
        initializing: {
          initial: "verifyingIntegrity",
          on: { fault: onFault, shutdown: onShutdown },
          states: {
            verifyingIntegrity: { on: { "integrity.verified": "loadingConfiguration" } },
            loadingConfiguration: { on: { "configuration.loaded": "openingMemory" } },
            openingMemory: { on: { "memory.ready": "loadingRegistry" } },
            loadingRegistry: { on: { "registry.ready": "loadingPolicy" } },
            loadingPolicy: { on: { "policy.ready": "startingObservability" } },
            startingObservability: { on: { "observability.ready": "#idle" } },
          },
        },
        idle: { id: "idle", on: { "execution.began": "executing", drain: "draining", fault: onFault } },
        executing: { on: { "execution.ended": "idle", drain: "draining", fault: onFault } },
        draining: { on: { drained: "shuttingDown", fault: onFault } },
        error: { id: "error", on: { shutdown: "shuttingDown" } },
        shuttingDown: { id: "shuttingDown", on: { stopped: "terminated" } },
        terminated: {},
      },
    },
    memory: region("memory"),
    registry: region("registry"),
    policy: region("policy"),
    observability: region("observability"),
  },
});

export type Phase =
  | "verifyingIntegrity"
  | "loadingConfiguration"
  | "openingMemory"
  | "loadingRegistry"
  | "loadingPolicy"
  | "startingObservability"
  | "idle"
  | "executing"
  | "draining"
  | "error"
  | "shuttingDown"
  | "terminated";

/** The phase of a lifecycle state value. Each step of initialization counts as a phase of its own. */
export function phaseOf(value: unknown): Phase {
  const { phase } = value as { readonly phase: Phase | { readonly initializing: Phase } };
  return typeof phase === "string" ? phase : phase.initializing;
}
