// execution for xstate 5.33.3
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
export {
  EXECUTION_VERSION,
  executionMachine
};
