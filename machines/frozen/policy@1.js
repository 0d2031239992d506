// policy for xstate 5.33.3
import { assign, setup } from "xstate";
var POLICY_VERSION = "1";
var policyMachine = setup({
  types: { context: {}, events: {} },
  actions: {
    propose: assign(({ event }) => event.type === "propose" ? { candidate: event.revision, rejection: null } : {}),
    activate: assign(({ context }) => ({ active: context.candidate, candidate: null })),
    reject: assign(({ event }) => event.type === "reject" ? { candidate: null, rejection: event.fault } : {})
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
export {
  POLICY_VERSION,
  policyMachine
};
