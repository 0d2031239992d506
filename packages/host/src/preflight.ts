/** What a configuration gets wrong beyond its syntax: found before the journal is opened, so that a mistake leaves no trace in history. */
import { builtinCapabilities } from "@femtoclaw/capabilities";
import { type CompiledPolicy, compilePolicy } from "@femtoclaw/policy";
import { FemtoError } from "@femtoclaw/protocol";
import type { LoadedConfiguration } from "./configuration/load-configuration.ts";

/** The rules that the configuration compiles to. Throws FEMTO_CONFIG_INVALID or FEMTO_POLICY_INVALID. */
export function compiledPolicyOf({ path, resolved }: Pick<LoadedConfiguration, "path" | "resolved">): CompiledPolicy {
  const manifests = builtinCapabilities.map(({ manifest }) => manifest);
  const known = manifests.map(({ name }) => name);
  const unknown = [...resolved.capabilities.keys()].filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    const names = unknown.map((name) => `\`${name}\``).join(", ");
    throw new FemtoError(
      "FEMTO_CONFIG_INVALID",
      `${path}: [capabilities] names ${names}; there are ${known.sort().join(", ")}`,
    );
  }
  return compilePolicy({ authority: resolved.authority, manifests });
}
