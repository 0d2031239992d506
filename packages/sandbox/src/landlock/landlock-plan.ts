/**
 * Turns a view and a command into the plan for the launcher. What cannot be confined without a file tree of its own is
 * refused here.
 */
import { readdirSync, statSync } from "node:fs";
import { FemtoError } from "@femtoclaw/protocol";
import { childEnvironment, passedOn, requireVisible, type SandboxCommand, startedBy, toolOf } from "../bubblewrap.ts";
import { type ChildLimits, ownLimits, prlimitArguments } from "../children/child-limits.ts";
import { processesBetween } from "../probing/rung.ts";
import { seccompFilter } from "../seccomp/seccomp.ts";
import { hostInspection } from "../views/inspection.ts";
import type { SandboxView } from "../views/view.ts";
import { hiddenPlaces, landlockRules, OWN_TERMINAL } from "./landlock-rules.ts";
import { ownNamespaces } from "./namespaces.ts";
import type { OwnTerminal } from "./refused-calls.ts";

/** What a child needs beside its files. */
export interface Beside {
  readonly terminal: boolean;
  readonly relay: boolean;
}

/**
 * Throws FEMTO_SANDBOX_UNAVAILABLE. INVARIANT: I3: what only a mount namespace can confine is not started without one,
 * and never with less confinement instead.
 */
export function landlockPlan(
  view: SandboxView,
  command: SandboxCommand,
  limits: ChildLimits,
  { terminal, relay }: Beside,
): Buffer {
  requireVisible(view, command);
  if (command.isAgent === true) throw beyond("an agent");
  if (relay) throw beyond("a program that may connect to hosts");
  if (view.mounts.some(({ kind }) => kind === "placed" || kind === "handed" || kind === "written")) {
    throw beyond("a program that FemtoClaw hands files of its own");
  }
  const variables = { ...childEnvironment(view, command), PWD: command.cwd };
  const isAlone = view.rung.name === "landlock";
  const others = isAlone ? processesOfUser() : processesBetween(view.rung.name);
  const rules = landlockRules(view.mounts, namesIn);
  const own = ownTerminal(terminal, isAlone);
  const filter = terminal ? seccompFilter(hostInspection.architecture, own) : view.filter;
  const plan = {
    rules: terminal ? [...rules, OWN_TERMINAL] : rules,
    hidden: hiddenPlaces(view.mounts, view.authority.floor),
    filter: Buffer.from(filter).toString("base64"),
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
    terminal: own,
  };
  return Buffer.from(JSON.stringify(plan));
}

function ownTerminal(terminal: boolean, isAlone: boolean): OwnTerminal {
  if (!terminal) return "none";
  return isAlone ? "of the guard" : "of the program";
}

function beyond(what: string): FemtoError {
  return new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", `${what} is not confined by Landlock, so it is not started`, {
    fix: "Install bubblewrap, or fix what `femtoclaw doctor` reports about it. Then start the host again.",
  });
}

/**
 * The kernel counts all processes and threads of a user within a user namespace. A child without such a namespace must
 * not be charged for those that already run.
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
    // A folder that this process may not list grants nothing.
    return [];
  }
}
