/** Packaged capabilities as the registry and policy know them: by what they declare. */
import { type Capability, packageCapability } from "@femtoclaw/capabilities";
import type { ResolvedConfiguration } from "../configuration/resolved-configuration.ts";

/** INVARIANT: none of these stubs runs anything. The gate holds what was accepted, and runs that. */
export function packageStubs({ packages }: Pick<ResolvedConfiguration, "packages">): Capability[] {
  return packages.map(({ manifest }) => packageCapability(manifest, () => null));
}
