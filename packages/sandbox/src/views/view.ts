/**
 * What a child may see, computed from the same grants from which policy is compiled. So what policy denies to the file
 * capabilities is out of a child's reach too.
 */
import type { Authority } from "@femtoclaw/protocol";
import { RunningChildren } from "../children/running-children.ts";
import type { ControlGroups } from "../control-groups/control-groups.ts";
import { type Rung, requireOutOfReach, rungOf } from "../probing/rung.ts";
import { MACOS } from "../seatbelt/macos-system.ts";
import { seccompFilter } from "../seccomp/seccomp.ts";
import { withCopies } from "./copied-files.ts";
import { hostInspection, type Inspection, type PathState } from "./inspection.ts";
import { type KeptPaths, onlyMissing } from "./kept-paths.ts";
import { type Mount, visibilityOf } from "./mounts.ts";
import { LINUX } from "./system.ts";
import { ViewPlanner } from "./view-planner.ts";

export interface SandboxView {
  /** Parents before children, masks last. The same authority on the same machine gives the same list. */
  readonly mounts: readonly Mount[];
  readonly authority: Authority;
  readonly rung: Rung;
  /** The system call filter as the Linux kernel takes it; empty on another system. */
  readonly filter: Uint8Array;
  /** Granted paths that do not exist and so are not shown. */
  readonly absent: readonly string[];
  /** Files that programs obey later and that do not exist in a writable folder, so that a child could create them. */
  readonly unguarded: readonly string[];
  /** The kind of each path on which the plan rests; if one changes, the view is planned anew. */
  readonly assumed: ReadonlyMap<string, PathState["kind"]>;
  /** Paths whose replacement ends a child. */
  readonly kept: KeptPaths;
  /** The children of this view and of those planned in its place. */
  readonly children: RunningChildren<SandboxView>;
  /** Counts what a child uses in all; null if nothing does. */
  readonly groups: ControlGroups | null;
}

function filterOf(name: Rung["name"], architecture: string): Uint8Array {
  if (name === "bubblewrap") return seccompFilter(architecture);
  return name === "seatbelt" ? new Uint8Array() : seccompFilter(architecture, "none");
}

/** Plans the view of a child. Throws FEMTO_SANDBOX_UNAVAILABLE for grants that cannot be enforced. */
export function viewOf(
  authority: Authority,
  inspection: Inspection = hostInspection,
  children = new RunningChildren<SandboxView>(),
  groups: ControlGroups | null = null,
  by: Rung["name"] = "bubblewrap",
): SandboxView {
  const rung = rungOf(by, authority, inspection);
  const isMac = rung.name === "seatbelt";
  const planner = new ViewPlanner(authority, inspection, isMac ? MACOS : LINUX);
  const planned = planner.plan();
  const mounts = rung.name === "bubblewrap" ? withCopies(planned, LINUX.files, inspection) : planned;
  requireOutOfReach(rung, (path) => visibilityOf(mounts, path), inspection);
  return {
    mounts,
    authority,
    rung,
    filter: filterOf(rung.name, inspection.architecture),
    absent: planner.absent,
    unguarded: planner.unguarded,
    assumed: planner.assumed,
    kept:
      rung.name === "bubblewrap"
        ? planner.kept
        : onlyMissing(planner.kept, (path) => planner.assumed.get(path) === "missing"),
    children,
    groups,
  };
}
