/** Whether telemetry is being exported. It may be degraded without harm: the journal is the truth. */
import { assign, setup } from "xstate";

export const OBSERVABILITY_VERSION = "1";

export type ObservabilityEvent =
  | { readonly type: "started" | "recovered" | "flush" | "stopped" }
  | { readonly type: "degraded"; readonly reason: string };

export interface ObservabilityContext {
  /** Why export is degraded; null while it works. */
  readonly reason: string | null;
}

const degraded = { target: "degraded", actions: "keepReason" } as const;

export const observabilityMachine = setup({
  types: { context: {} as ObservabilityContext, events: {} as ObservabilityEvent },
  actions: {
    keepReason: assign(({ event }) => (event.type === "degraded" ? { reason: event.reason } : {})),
    clearReason: assign({ reason: null }),
  },
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
    stopped: { type: "final" },
  },
});
