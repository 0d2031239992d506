/** The view by which the next child is started, planned anew if the machine has changed since the last plan. */
import { dirname } from "node:path";
import { hostInspection, type Inspection } from "./inspection.ts";
import { visibilityOf } from "./mounts.ts";
import { type SandboxView, viewOf } from "./view.ts";

/** Returns the view itself if the machine is as it was when the view was planned, else a new one. */
export function currentView(
  view: SandboxView,
  othersRun = false,
  inspection: Inspection = hostInspection,
): SandboxView {
  const seen = othersRun ? withoutNewcomers(view, inspection) : inspection;
  for (const [path, kind] of view.assumed) {
    if (seen.stateOf(path).kind !== kind) {
      return viewOf(view.authority, seen, view.children, view.groups, view.rung.name);
    }
  }
  return view;
}

/**
 * INVARIANT: a running child cannot exchange the source of a mount. Bubblewrap looks paths up by name, and a child that
 * exchanges a folder for a link at that moment would choose what the next child sees. No child can move what is a mount
 * for it. So if a child may write there, a path that was no mount when that child was started does not become one for
 * others until no child runs.
 */
function withoutNewcomers({ assumed, mounts }: SandboxView, inspection: Inspection): Inspection {
  return {
    ...inspection,
    stateOf: (path) => {
      const kind = assumed.get(path);
      const wasNone = kind === "missing" || kind === "link";
      const isInReach = visibilityOf(mounts, dirname(path)) === "readWrite";
      if (!wasNone || !isInReach) return inspection.stateOf(path);
      return kind === "missing" ? { kind } : { kind, target: path };
    },
  };
}
