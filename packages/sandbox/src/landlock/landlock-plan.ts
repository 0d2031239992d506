/**
 * From a view and a command to what the launcher is told. What cannot be confined without a file tree of its own is
 * refused here.
 */
import { readdirSync, statSync } from "node:fs";
import { FemtoError } from "@femtoclaw/protocol";
import { childEnvironment, passedOn, requireVisible, type SandboxCommand, startedBy, toolOf } from "../bubblewrap.ts";
import { type ChildLimits, ownLimits, prlimitArguments } from "../child-limits.ts";
import { processesBetween } from "../rung.ts";
import type { SandboxView } from "../view.ts";
import { hiddenPlaces, landlockRules } from "./landlock-rules.ts";
import { ownNamespaces } from "./namespaces.ts";

/** What a child would have to have for itself, and what would be anybody's without a namespace of mounts. */
export interface Beside {
  readonly terminal: boolean;
  readonly relay: boolean;
}

/**
 * Throws FEMTO_SANDBOX_UNAVAILABLE. INVARIANT: I3: what only a namespace of mounts can hold is not begun without one,
 * and nothing is begun with less instead.
 */
export function landlockPlan(
  view: SandboxView,
  command: SandboxCommand,
  limits: ChildLimits,
  { terminal, relay }: Beside,
): Buffer {
  requireVisible(view, command);
  if (terminal || command.isAgent === true) throw beyond("a program on a terminal, or an agent,");
  if (relay) throw beyond("a program that may connect to hosts");
  if (view.mounts.some(({ kind }) => kind === "placed" || kind === "handed" || kind === "written")) {
    throw beyond("a program that FemtoClaw hands files of its own");
  }
  const variables = { ...childEnvironment(view, command), PWD: command.cwd };
  const isAlone = view.rung.name === "landlock";
  const others = isAlone ? processesOfUser() : processesBetween(view.rung.name);
  const plan = {
    rules: landlockRules(view.mounts, namesIn),
    hidden: hiddenPlaces(view.mounts, view.authority.floor),
    filter: Buffer.from(view.filter).toString("base64"),
    cwd: command.cwd,
    program: [
      toolOf(view, "prlimit", "the limits of programs are set"),
      ...prlimitArguments(
        { ...limits, processes: limits.processes + others },
        { group: view.groups !== null, root: false, own: ownLimits() },
      ),
      ...startedBy(view, command),
    ],
    environment: Object.entries(variables).map(([name, value]) => `${name}=${value}`),
    kept: passedOn(command),
    apart: isAlone ? {} : ownNamespaces(),
  };
  return Buffer.from(JSON.stringify(plan));
}

function beyond(what: string): FemtoError {
  return new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", `${what} is not confined by Landlock, so it is not started`, {
    fix: "Install bubblewrap, or see to what `femtoclaw doctor` says of it; then start the host again.",
  });
}

/**
 * The kernel counts all processes and threads of a user, within a namespace of users; so what runs already beside a child
 * without one is not to be taken from the child's.
 */
function processesOfUser(): number {
  const user = process.getuid?.();
  const counts = readdirSync("/proc").map((name) => {
    try {
      if (!/^\d+$/.test(name) || statSync(`/proc/${name}`).uid !== user) return 0;
      return statSync(`/proc/${name}/task`).nlink - 2;
    } catch {
      // It has ended since.
      return 0;
    }
  });
  return counts.reduce((all, count) => all + count, 0);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Whoever may not list it grants nothing in it.
    return [];
  }
}
