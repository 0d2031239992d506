/** Which capabilities exist and which of them are enabled. Everything is disabled unless somebody enabled it. */
import type { RegisteredCapability } from "@femtoclaw/protocol/types";
import { assign, setup } from "xstate";

export const REGISTRY_VERSION = "1";

export type RegistryEvent =
  /** `overrides` tells a live registry what the journal knows; a fold knows it from its own past. */
  | { readonly type: "load"; readonly overrides?: Readonly<Record<string, boolean>> }
  | { readonly type: "loaded" }
  | { readonly type: "declare"; readonly capability: RegisteredCapability }
  | { readonly type: "enable" | "disable"; readonly name: string };

export interface RegistryContext {
  readonly capabilities: Readonly<Record<string, RegisteredCapability>>;
  /**
   * What operators enabled or disabled by hand. It survives restarts, but never overrides a lock of the configuration.
   */
  readonly overrides: Readonly<Record<string, boolean>>;
}

/** The registered capability. An inherited name such as `constructor` is no capability. */
function registered({ capabilities }: RegistryContext, name: string): RegisteredCapability | undefined {
  return Object.hasOwn(capabilities, name) ? capabilities[name] : undefined;
}

function switched(context: RegistryContext, name: string, enabled: boolean): Partial<RegistryContext> {
  const capability = registered(context, name);
  if (capability === undefined) return {};
  return {
    capabilities: { ...context.capabilities, [name]: { ...capability, enabled, source: "operator" } },
    overrides: { ...context.overrides, [name]: enabled },
  };
}

export const registryMachine = setup({
  types: {
    context: {} as RegistryContext,
    events: {} as RegistryEvent,
    input: {} as { readonly overrides: Readonly<Record<string, boolean>> } | undefined,
  },
  actions: {
    clear: assign(({ context, event }) => ({
      capabilities: {},
      overrides: (event.type === "load" ? event.overrides : undefined) ?? context.overrides,
    })),
    declare: assign(({ context, event }) =>
      event.type === "declare"
        ? { capabilities: { ...context.capabilities, [event.capability.name]: event.capability } }
        : {},
    ),
    enable: assign(({ context, event }) => (event.type === "enable" ? switched(context, event.name, true) : {})),
    disable: assign(({ context, event }) => (event.type === "disable" ? switched(context, event.name, false) : {})),
  },
  guards: {
    // INVARIANT: I3: what the configuration locks off stays off; an unknown name enables nothing.
    mayEnable: ({ context, event }) => event.type === "enable" && registered(context, event.name)?.locked === false,
    mayDisable: ({ context, event }) => event.type === "disable" && registered(context, event.name) !== undefined,
  },
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
        disable: { guard: "mayDisable", actions: "disable" },
      },
    },
  },
});
