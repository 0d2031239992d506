/** The journal as a subsystem: whether records can be read and committed. The runtime does the I/O. */
import { assign, setup } from "xstate";
import type { Fault } from "./fault.ts";

export const MEMORY_VERSION = "2";

export type MemoryEvent =
  | { readonly type: "open" | "opened" | "verified" | "commit" | "committed" | "close" | "closed" }
  | { readonly type: "exhausted" | "relieved" }
  | { readonly type: "fail"; readonly fault: Fault };

export interface MemoryContext {
  readonly fault: Fault | null;
}

const onFail = { target: "failed", actions: "keepFault" } as const;

export const memoryMachine = setup({
  types: { context: {} as MemoryContext, events: {} as MemoryEvent },
  actions: {
    keepFault: assign(({ event }) => (event.type === "fail" ? { fault: event.fault } : {})),
    clearFault: assign({ fault: null }),
  },
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
    failed: { on: { open: { target: "opening", actions: "clearFault" } } },
  },
});
