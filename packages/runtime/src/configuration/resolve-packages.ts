/** Capabilities of others as the configuration names them: the folder of a package, and what it declares. */

import { packageManifest } from "@femtoclaw/capabilities/package-manifest";
import type { Authority, CapabilityManifest, Configuration } from "@femtoclaw/protocol";
import { FemtoError, isWithin } from "@femtoclaw/protocol";
import { MANIFEST_NAME, readManifestFile } from "../capability-packages/package-files.ts";
import type { PathBase } from "./canonical-path.ts";
import { isWritable } from "./check-authority.ts";
import { pathGrant } from "./path-grants.ts";
import type { Places } from "./places.ts";

/** A capability that is a package of files. */
export interface PackageSetting {
  /** The name in both the manifest and the configuration. */
  readonly name: string;
  /** Canonical folder. */
  readonly path: string;
  /** The manifest, as it stood there when the configuration was read. */
  readonly manifest: CapabilityManifest;
  /** Who accepts the package's files if nothing of it was ever pinned. */
  readonly pins: "first_use" | "operator";
}

export function resolvePackages(
  { capabilities = {} }: Configuration,
  base: PathBase,
  places: Places,
): readonly PackageSetting[] {
  return Object.entries(capabilities).flatMap(([name, setting]) => {
    if (typeof setting === "boolean") return [];
    const place = ["capabilities", name, "package"];
    if (setting.package === undefined) {
      return setting.pins === undefined
        ? []
        : places.fault(["capabilities", name, "pins"], "only a `package` has pins");
    }
    const path = pathGrant(place, setting.package, base, places)?.path;
    if (path === undefined) return [];
    const manifest = manifestIn(path, name);
    if ("problem" in manifest) return places.fault(place, manifest.problem);
    return [{ name, path, manifest, pins: setting.pins ?? "operator" }];
  });
}

function manifestIn(path: string, name: string): CapabilityManifest | { readonly problem: string } {
  try {
    const read = packageManifest(name, readManifestFile(path));
    return read.ok ? read.manifest : { problem: `${path}/${MANIFEST_NAME} ${read.problem}` };
  } catch (error) {
    if (error instanceof FemtoError) return { problem: error.message };
    throw error;
  }
}

/** INVARIANT: I8: no call changes what a capability runs, or the folders that lead to it. */
export function checkPackages(
  packages: readonly PackageSetting[],
  { allow, ask, deny }: Authority,
  places: Places,
): void {
  for (const { name, path } of packages) {
    const grant = [...allow.write, ...ask.write].find((one) => {
      return isWritable(path, one, deny.write) || (isWithin(one.path, path) && isWritable(one.path, one, deny.write));
    });
    if (grant === undefined) continue;
    const message = `calls could change ${path} (${grant.source}); deny writing to it, or keep it elsewhere`;
    places.fault(["capabilities", name, "package"], message);
  }
}
