// registry for xstate 5.33.3
import { assign, setup } from "xstate";
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
var registryMachine = setup({
  types: {
    context: {},
    events: {},
    input: {}
  },
  actions: {
    clear: assign(({ context, event }) => ({
      capabilities: {},
      overrides: (event.type === "load" ? event.overrides : void 0) ?? context.overrides
    })),
    declare: assign(
      ({ context, event }) => event.type === "declare" ? { capabilities: { ...context.capabilities, [event.capability.name]: event.capability } } : {}
    ),
    enable: assign(({ context, event }) => event.type === "enable" ? switched(context, event.name, true) : {}),
    disable: assign(({ context, event }) => event.type === "disable" ? switched(context, event.name, false) : {})
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
export {
  REGISTRY_VERSION,
  registryMachine
};
