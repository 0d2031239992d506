// lifecycle for xstate 5.33.3
import { assign as assign6, enqueueActions, raise, setup as setup6 } from "xstate";

import {
  createActor
} from "xstate";

import { assign, setup } from "xstate";
var EXECUTION_VERSION = "2";
var fail = (category) => ({ type: "fail", params: { category } });
var toEnd = (category) => ({ target: "memoryCommitting", actions: fail(category) });
var commitFailed = { target: "error", actions: fail("MemoryError") };
var executionMachine = setup({
  types: {
    context: {},
    events: {},
    output: {}
  },
  actions: {
    fail: assign((_, params) => ({ category: params.category }))
  },
  guards: {
    hasFailed: ({ context }) => context.category !== null
  }
}).createMachine({
  id: "execution",
  version: EXECUTION_VERSION,
  options: { maxIterations: 100 },
  context: { category: null },
  initial: "inputReceived",
  output: ({ context }) => context,
  states: {
    inputReceived: { on: { begin: "protocolValidating" } },
    protocolValidating: {
      on: {
        valid: "authorizationEvaluating",
        message: "memoryCommitting",
        invalid: toEnd("ProtocolError"),
        unknown: toEnd("AuthorizationError"),
        disabled: toEnd("AuthorizationError"),
        argumentsInvalid: toEnd("AuthorizationError")
      }
    },
    authorizationEvaluating: {
      on: {
        permitted: "intentCommitting",
        approvalRequired: "awaitingApproval",
        denied: toEnd("AuthorizationError"),
        factsFailed: toEnd("AuthorizationError")
      }
    },
    awaitingApproval: {
      on: {
        granted: "authorizationEvaluating",
        refused: toEnd("AuthorizationError"),
        expired: toEnd("AuthorizationError"),
        cancelled: toEnd("RuntimeError"),
        halted: toEnd("RuntimeError")
      }
    },
    // INVARIANT: I1: the effect is reached only through `committed` from here, which means that the
    // intent is durable.
    intentCommitting: {
      on: {
        committed: "capabilityExecuting",
        cancelled: toEnd("RuntimeError"),
        halted: toEnd("RuntimeError"),
        recovered: toEnd("RuntimeError"),
        commitFailed
      }
    },
    capabilityExecuting: {
      on: {
        succeeded: "memoryCommitting",
        failed: toEnd("CapabilityError"),
        timedOut: toEnd("CapabilityError"),
        cancelled: toEnd("CapabilityError"),
        contained: toEnd("CapabilityError"),
        recovered: toEnd("RuntimeError")
      }
    },
    memoryCommitting: {
      on: {
        committed: [{ guard: "hasFailed", target: "error" }, { target: "completed" }],
        // A refusal beyond its session's quota has no record of its own.
        collapsed: { guard: "hasFailed", target: "error" },
        commitFailed
      }
    },
    completed: { type: "final" },
    error: { type: "final" }
  }
});

var WAITING = executionMachine.resolveState({ value: "awaitingApproval", context: { category: null } });
var executionsLogic = {
  getInitialSnapshot: () => ({
    status: "active",
    output: void 0,
    error: void 0,
    live: /* @__PURE__ */ new Map()
  }),
  transition(snapshot, event, scope) {
    const { live } = snapshot;
    if (event.type === "execution.received" || event.type === "execution.resumed") {
      const { id } = event;
      const from = event.type === "execution.resumed" ? { snapshot: WAITING } : {};
      const actor = createActor(executionMachine, { id, parent: scope.self, ...from });
      live.set(id, actor);
      actor.start();
      return snapshot;
    }
    if (event.type === "execution.evicted") {
      const actor = live.get(event.id);
      if (actor !== void 0) scope.stopChild(actor);
      live.delete(event.id);
      return snapshot;
    }
    if (event.type === "xstate.stop") {
      for (const actor of live.values()) scope.stopChild(actor);
      live.clear();
      return { ...snapshot, status: "stopped" };
    }
    if ("actorId" in event) live.delete(event.actorId);
    return snapshot;
  },
  // Executions live in the journal alone; a restart never revives an actor.
  getPersistedSnapshot: ({ status, output, error }) => ({ status, output, error })
};

import { assign as assign2, setup as setup2 } from "xstate";
var MEMORY_VERSION = "2";
var onFail = { target: "failed", actions: "keepFault" };
var memoryMachine = setup2({
  types: { context: {}, events: {} },
  actions: {
    keepFault: assign2(({ event }) => event.type === "fail" ? { fault: event.fault } : {}),
    clearFault: assign2({ fault: null })
  }
}).createMachine({
  id: "memory",
  version: MEMORY_VERSION,
  options: { maxIterations: 100 },
  context: { fault: null },
  initial: "closed",
  states: {
    closed: { on: { open: { target: "opening", actions: "clearFault" } } },
    opening: { on: { opened: "verifying", fail: onFail } },
    verifying: { on: { verified: "ready", fail: onFail } },
    ready: { on: { commit: "committing", exhausted: "full", close: "closing", fail: onFail } },
    committing: { on: { committed: "ready", exhausted: "full", fail: onFail } },
    // The disk has no room to spare: what was promised is still committed, from the reserve, and nothing new begins.
    full: { on: { relieved: "ready", close: "closing", fail: onFail } },
    closing: { on: { closed: "closed", fail: onFail } },
    failed: { on: { open: { target: "opening", actions: "clearFault" } } }
  }
});

import { assign as assign3, setup as setup3 } from "xstate";
var OBSERVABILITY_VERSION = "1";
var degraded = { target: "degraded", actions: "keepReason" };
var observabilityMachine = setup3({
  types: { context: {}, events: {} },
  actions: {
    keepReason: assign3(({ event }) => event.type === "degraded" ? { reason: event.reason } : {}),
    clearReason: assign3({ reason: null })
  }
}).createMachine({
  id: "observability",
  version: OBSERVABILITY_VERSION,
  options: { maxIterations: 100 },
  context: { reason: null },
  initial: "starting",
  states: {
    starting: { on: { started: "exporting", degraded } },
    exporting: { on: { degraded, flush: "flushing" } },
    degraded: { on: { recovered: { target: "exporting", actions: "clearReason" }, flush: "flushing" } },
    flushing: { on: { stopped: "stopped" } },
    stopped: { type: "final" }
  }
});

import { assign as assign4, setup as setup4 } from "xstate";
var POLICY_VERSION = "1";
var policyMachine = setup4({
  types: { context: {}, events: {} },
  actions: {
    propose: assign4(({ event }) => event.type === "propose" ? { candidate: event.revision, rejection: null } : {}),
    activate: assign4(({ context }) => ({ active: context.candidate, candidate: null })),
    reject: assign4(({ event }) => event.type === "reject" ? { candidate: null, rejection: event.fault } : {})
  },
  guards: {
    hasActive: ({ context }) => context.active !== null
  }
}).createMachine({
  id: "policy",
  version: POLICY_VERSION,
  options: { maxIterations: 100 },
  context: { active: null, candidate: null, rejection: null },
  initial: "none",
  states: {
    none: { on: { propose: { target: "candidate", actions: "propose" } } },
    candidate: {
      on: {
        activate: { target: "active", actions: "activate" },
        reject: [
          { guard: "hasActive", target: "active", actions: "reject" },
          { target: "none", actions: "reject" }
        ]
      }
    },
    active: { on: { propose: { target: "candidate", actions: "propose" } } }
  }
});

import { assign as assign5, setup as setup5 } from "xstate";
var REGISTRY_VERSION = "1";
function registered({ capabilities }, name) {
  return Object.hasOwn(capabilities, name) ? capabilities[name] : void 0;
}
function switched(context, name, enabled) {
  const capability = registered(context, name);
  if (capability === void 0) return {};
  return {
    capabilities: { ...context.capabilities, [name]: { ...capability, enabled, source: "operator" } },
    overrides: { ...context.overrides, [name]: enabled }
  };
}
var registryMachine = setup5({
  types: {
    context: {},
    events: {},
    input: {}
  },
  actions: {
    clear: assign5(({ context, event }) => ({
      capabilities: {},
      overrides: (event.type === "load" ? event.overrides : void 0) ?? context.overrides
    })),
    declare: assign5(
      ({ context, event }) => event.type === "declare" ? { capabilities: { ...context.capabilities, [event.capability.name]: event.capability } } : {}
    ),
    enable: assign5(({ context, event }) => event.type === "enable" ? switched(context, event.name, true) : {}),
    disable: assign5(({ context, event }) => event.type === "disable" ? switched(context, event.name, false) : {})
  },
  guards: {
    // INVARIANT: I3: what the configuration locks off stays off; an unknown name enables nothing.
    mayEnable: ({ context, event }) => event.type === "enable" && registered(context, event.name)?.locked === false,
    mayDisable: ({ context, event }) => event.type === "disable" && registered(context, event.name) !== void 0
  }
}).createMachine({
  id: "registry",
  version: REGISTRY_VERSION,
  options: { maxIterations: 100 },
  context: ({ input }) => ({ capabilities: {}, overrides: input?.overrides ?? {} }),
  initial: "empty",
  states: {
    empty: { on: { load: { target: "loading", actions: "clear" } } },
    loading: { on: { declare: { actions: "declare" }, loaded: "ready" } },
    ready: {
      on: {
        enable: { guard: "mayEnable", actions: "enable" },
        disable: { guard: "mayDisable", actions: "disable" }
      }
    }
  }
});

var LIFECYCLE_VERSION = "3";
function crashOf(event) {
  const { error } = event;
  return { code: error?.code ?? "FEMTO_INTERNAL", reason: error?.reason ?? "unknown", atMs: error?.atMs ?? 0 };
}
function recentCrashes(context, subsystem, atMs) {
  return [...context.crashesMs[subsystem], atMs].filter((crashMs) => atMs - crashMs < context.windowMs);
}
var onFault = { target: "#error", actions: "keepFault" };
var onShutdown = { target: "#shuttingDown" };
var region = (subsystem) => ({
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
            actions: { type: "countCrash", params: { subsystem } }
          },
          {
            target: "lost",
            actions: [
              { type: "countCrash", params: { subsystem } },
              { type: "lose", params: { subsystem } }
            ]
          }
        ]
      }
    },
    backoff: {
      on: { "subsystem.restart": { guard: { type: "isSubsystem", params: { subsystem } }, target: "up" } }
    },
    lost: {}
  }
});
var lifecycleMachine = setup6({
  types: {
    context: {},
    events: {},
    input: {}
  },
  actors: {
    executions: executionsLogic,
    memory: memoryMachine,
    registry: registryMachine,
    policy: policyMachine,
    observability: observabilityMachine
  },
  actions: {
    keepFault: assign6(({ event }) => event.type === "fault" ? { fault: event.fault } : {}),
    countCrash: assign6(({ context, event }, params) => ({
      crashesMs: {
        ...context.crashesMs,
        [params.subsystem]: recentCrashes(context, params.subsystem, crashOf(event).atMs)
      }
    })),
    // INVARIANT: I3: without journal, registry or policy nothing may execute, so their loss ends the runtime.
    lose: enqueueActions(({ event, enqueue }, params) => {
      if (params.subsystem === "observability") return;
      const reason = `${params.subsystem}: ${crashOf(event).reason}`;
      enqueue(raise({ type: "fault", fault: { code: "FEMTO_SUBSYSTEM_LOST", reason } }));
    })
  },
  guards: {
    isSubsystem: ({ event }, params) => event.type === "subsystem.restart" && event.subsystem === params.subsystem,
    mayRestart: ({ context, event }, params) => recentCrashes(context, params.subsystem, crashOf(event).atMs).length <= context.restartsMax
  }
}).createMachine({
  id: "lifecycle",
  version: LIFECYCLE_VERSION,
  options: { maxIterations: 100 },
  type: "parallel",
  invoke: { src: "executions", id: "executions", systemId: "executions" },
  context: ({ input }) => ({
    restartsMax: input?.restartsMax ?? 3,
    windowMs: input?.windowMs ?? 6e4,
    fault: null,
    crashesMs: { memory: [], registry: [], policy: [], observability: [] }
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
            startingObservability: { on: { "observability.ready": "#idle" } }
          }
        },
        idle: { id: "idle", on: { "execution.began": "executing", drain: "draining", fault: onFault } },
        executing: { on: { "execution.ended": "idle", drain: "draining", fault: onFault } },
        draining: { on: { drained: "shuttingDown", fault: onFault } },
        error: { id: "error", on: { shutdown: "shuttingDown" } },
        shuttingDown: { id: "shuttingDown", on: { stopped: "terminated" } },
        terminated: {}
      }
    },
    memory: region("memory"),
    registry: region("registry"),
    policy: region("policy"),
    observability: region("observability")
  }
});
function phaseOf(value) {
  const { phase } = value;
  return typeof phase === "string" ? phase : phase.initializing;
}
export {
  LIFECYCLE_VERSION,
  lifecycleMachine,
  phaseOf
};
