// observability for xstate 5.33.3
import { assign, setup } from "xstate";
var OBSERVABILITY_VERSION = "1";
var degraded = { target: "degraded", actions: "keepReason" };
var observabilityMachine = setup({
  types: { context: {}, events: {} },
  actions: {
    keepReason: assign(({ event }) => event.type === "degraded" ? { reason: event.reason } : {}),
    clearReason: assign({ reason: null })
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
export {
  OBSERVABILITY_VERSION,
  observabilityMachine
};
