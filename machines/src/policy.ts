/** Which policy revision is in force. A rejected candidate leaves the active revision unchanged. */
import { assign, setup } from "xstate";
import type { Fault } from "./fault.ts";

export const POLICY_VERSION = "1";

export type PolicyEvent =
  | { readonly type: "propose"; readonly revision: string }
  | { readonly type: "activate" }
  | { readonly type: "reject"; readonly fault: Fault };

export interface PolicyContext {
  readonly active: string | null;
  readonly candidate: string | null;
  readonly rejection: Fault | null;
}

export const policyMachine = setup({
  types: { context: {} as PolicyContext, events: {} as PolicyEvent },
  actions: {
    propose: assign(({ event }) => (event.type === "propose" ? { candidate: event.revision, rejection: null } : {})),
    activate: assign(({ context }) => ({ active: context.candidate, candidate: null })),
    reject: assign(({ event }) => (event.type === "reject" ? { candidate: null, rejection: event.fault } : {})),
  },
  guards: {
    hasActive: ({ context }) => context.active !== null,
  },
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
          { target: "none", actions: "reject" },
        ],
      },
    },
    active: { on: { propose: { target: "candidate", actions: "propose" } } },
  },
});
