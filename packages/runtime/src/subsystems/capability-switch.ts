/** Enabling or disabling a capability by an operator: checked, recorded, and only then in force. */
import type { Journal } from "@femtoclaw/journal";
import { operatorActor } from "../operators/operator-actor.ts";
import type { Confinement } from "./confinement.ts";
import type { Registry } from "./registry.ts";

interface CapabilitySwitchParts {
  readonly registry: Registry;
  readonly confinement: Confinement;
  readonly journal: Pick<Journal, "append">;
}

/** A capability that `by`, the name of an operator, enables or disables. */
export interface SwitchRequest {
  readonly name: string;
  readonly enabled: boolean;
  readonly by: string;
}

/**
 * The change is durable when this resolves. Throws for an unknown name and for a capability that the configuration
 * locks.
 */
export async function switchCapability(
  { registry, confinement, journal }: CapabilitySwitchParts,
  { name, enabled, by }: SwitchRequest,
): Promise<void> {
  // INVARIANT: I3: other values that JavaScript takes for true, such as "false", enable nothing.
  if (typeof enabled !== "boolean") throw new TypeError("`enabled` must be true or false");
  const { isolation } = registry.check(name, enabled);
  if (enabled && isolation === "sandbox") await confinement.require([name]);
  await journal.append({
    type: enabled ? "capability.enabled" : "capability.disabled",
    actor: operatorActor(by),
    session: null,
    execution: null,
    body: { name },
  });
  registry.apply(name, enabled);
}
