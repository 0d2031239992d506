/** Paths of the configuration, each canonical and with its place. */
import { jsonPointer, type PathGrant } from "@femtoclaw/protocol";
import { canonicalPath, type PathBase } from "./canonical-path.ts";
import type { Places } from "./places.ts";

export function pathGrants(
  place: readonly string[],
  written: readonly string[] | undefined,
  base: PathBase,
  places: Places,
): readonly PathGrant[] {
  return (written ?? []).flatMap((path, index) => pathGrant([...place, index], path, base, places) ?? []);
}

/** Undefined if the path is faulty; the fault is noted. */
export function pathGrant(
  place: readonly (string | number)[],
  written: string,
  base: PathBase,
  places: Places,
): PathGrant | undefined {
  const canonical = canonicalPath(written, base);
  if ("path" in canonical) {
    places.followed(place, canonical.links);
    return { path: canonical.path, source: places.sourceOf(jsonPointer(place)) };
  }
  places.fault(place, canonical.problem);
  return undefined;
}
