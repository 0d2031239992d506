/** Capabilities that are packages as the registry and policy know them: by what they declare. */
import { type Capability, packageCapability } from "@femtoclaw/capabilities";
import type { ResolvedConfiguration } from "../configuration/resolved-configuration.ts";

/** INVARIANT: none of these runs anything; what was accepted does, and that is held by the gate. */
export function packageStubs({ packages }: Pick<ResolvedConfiguration, "packages">): Capability[] {
  return packages.map(({ manifest }) => packageCapability(manifest, () => null));
}
