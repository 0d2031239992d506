/**
 * One execution: a protocol message from receipt to its end. The machine is flat and event-driven: I/O, time and
 * results arrive as events, so the same machine runs live, folds history and can be explored exhaustively.
 */
import type { ErrorType } from "@femtoclaw/protocol/types";
import { assign, setup } from "xstate";

export const EXECUTION_VERSION = "2";

export type ExecutionEvent =
  | { readonly type: "begin" }
  | { readonly type: "message" | "valid" | "invalid" | "unknown" | "disabled" | "argumentsInvalid" }
  | { readonly type: "permitted" | "approvalRequired" | "denied" | "factsFailed" }
  | { readonly type: "granted" | "refused" | "expired" | "cancelled" | "halted" }
  | { readonly type: "succeeded" | "failed" | "timedOut" | "contained" | "recovered" }
  | { readonly type: "committed" | "commitFailed" | "collapsed" };

export interface ExecutionContext {
  /** Why the execution ends in `error`; null while it may still complete. */
  readonly category: ErrorType | null;
}

const fail = (category: ErrorType) => ({ type: "fail", params: { category } }) as const;

const toEnd = (category: ErrorType) => ({ target: "memoryCommitting", actions: fail(category) }) as const;

/** A failed commit ends the execution at once: nothing more can be promised about it. */
const commitFailed = { target: "error", actions: fail("MemoryError") } as const;

export const executionMachine = setup({
  types: {
    context: {} as ExecutionContext,
    events: {} as ExecutionEvent,
    output: {} as ExecutionContext,
  },
  actions: {
    fail: assign((_, params: { readonly category: ErrorType }) => ({ category: params.category })),
  },
  guards: {
    hasFailed: ({ context }) => context.category !== null,
  },
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
        argumentsInvalid: toEnd("AuthorizationError"),
      },
    },
    authorizationEvaluating: {
      on: {
        permitted: "intentCommitting",
        approvalRequired: "awaitingApproval",
        denied: toEnd("AuthorizationError"),
        factsFailed: toEnd("AuthorizationError"),
      },
    },
    awaitingApproval: {
      on: {
        granted: "authorizationEvaluating",
        refused: toEnd("AuthorizationError"),
        expired: toEnd("AuthorizationError"),
        cancelled: toEnd("RuntimeError"),
        halted: toEnd("RuntimeError"),
      },
    },
    // INVARIANT: I1: the effect is reached only through `committed` from here, which means that the
    // intent is durable.
    intentCommitting: {
      on: {
        committed: "capabilityExecuting",
        cancelled: toEnd("RuntimeError"),
        halted: toEnd("RuntimeError"),
        recovered: toEnd("RuntimeError"),
        commitFailed,
      },
    },
    capabilityExecuting: {
      on: {
        succeeded: "memoryCommitting",
        failed: toEnd("CapabilityError"),
        timedOut: toEnd("CapabilityError"),
        cancelled: toEnd("CapabilityError"),
        contained: toEnd("CapabilityError"),
        recovered: toEnd("RuntimeError"),
      },
    },
    memoryCommitting: {
      on: {
        committed: [{ guard: "hasFailed", target: "error" }, { target: "completed" }],
        // A refusal beyond its session's quota has no record of its own.
        collapsed: { guard: "hasFailed", target: "error" },
        commitFailed,
      },
    },
    completed: { type: "final" },
    error: { type: "final" },
  },
});

export type ExecutionState =
  | "inputReceived"
  | "protocolValidating"
  | "authorizationEvaluating"
  | "awaitingApproval"
  | "intentCommitting"
  | "capabilityExecuting"
  | "memoryCommitting"
  | "completed"
  | "error";
