// memory for xstate 5.33.3
import { assign, setup } from "xstate";
var MEMORY_VERSION = "2";
var onFail = { target: "failed", actions: "keepFault" };
var memoryMachine = setup({
  types: { context: {}, events: {} },
  actions: {
    keepFault: assign(({ event }) => event.type === "fail" ? { fault: event.fault } : {}),
    clearFault: assign({ fault: null })
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
export {
  MEMORY_VERSION,
  memoryMachine
};
