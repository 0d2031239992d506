/** Turns a view and a command into the process to start, for whichever program confines the children of this host. */
import { launcherCommand } from "#landlock-launcher";
import {
  BEGIN_DESCRIPTOR,
  bubblewrapArguments,
  heldBack,
  type SandboxCommand,
  startedBy,
  toolOf,
} from "../bubblewrap.ts";
import { landlockPlan } from "../landlock/landlock-plan.ts";
import { inNamespaces } from "../landlock/namespaces.ts";
import type { RelayProgram } from "../relay/relay-command.ts";
import { STARTER, seatbeltScript } from "../seatbelt/seatbelt-plan.ts";
import type { SandboxView } from "../views/view.ts";
import type { ChildLimits } from "./child-limits.ts";
import { BEGIN, guardArguments } from "./guard.ts";
import { MARKED } from "./orphan-watch.ts";

/**
 * The three descriptors after stdio are the same for all rungs: one to send the plan, one to read the status, one to
 * begin.
 */
export interface ChildStart {
  readonly program: string;
  readonly args: readonly string[];
  /** How many of the arguments, at their end, are the program of the call and what it gets. */
  readonly words: number;
  /** What is written to the first of these descriptors. */
  readonly told: Uint8Array;
  readonly begin: string;
  /**
   * Whether the last of these descriptors stays open as long as the child may live, because nothing else ends the child
   * with the host. Otherwise what is sent waits until the child would end with the host; nothing of the call begins
   * before that.
   */
  readonly isHeld: boolean;
}

/**
 * Throws FEMTO_SANDBOX_UNAVAILABLE for a command that cannot be confined. `terminal` says whether the first three
 * descriptors are a terminal that is to be the controlling one of the program; `relay` is as for bubblewrap.
 */
export function childStart(
  view: SandboxView,
  command: SandboxCommand,
  limits: ChildLimits,
  terminal = false,
  relay: RelayProgram | null = null,
): ChildStart {
  const { rung, filter } = view;
  if (rung.name === "bubblewrap") {
    const { held, first } = heldBack(
      bubblewrapArguments(view, command, limits, terminal ? onTerminal(view) : [], relay),
    );
    return {
      program: rung.program,
      args: ["--args", String(BEGIN_DESCRIPTOR), ...MARKED, ...first],
      told: filter,
      words: startedBy(view, command).length,
      begin: held.map((word) => `${word}\0`).join(""),
      isHeld: false,
    };
  }
  const beside = { terminal, relay: relay !== null };
  const held = { program: rung.shell, words: 0, begin: BEGIN, isHeld: true };
  if (rung.name === "seatbelt") {
    const told = Buffer.from(seatbeltScript(view, command, limits, beside));
    return { ...held, args: guardArguments([rung.shell, ...STARTER]), told };
  }
  const told = landlockPlan(view, command, limits, beside);
  const alone = launcherCommand();
  const started = rung.name === "landlock" ? alone : inNamespaces(rung.unshare, rung.shell, alone);
  return { ...held, args: guardArguments(started, terminal && rung.name === "landlock"), told };
}

/**
 * The tool that makes the terminal the controlling one of a new session, which begins with the program inside the
 * sandbox. So job control works, and a typed interrupt reaches the program instead of bubblewrap, which would end with
 * everything in it. The system call filter keeps the program from typing by itself.
 */
function onTerminal(view: SandboxView): string[] {
  return [toolOf(view, "setsid", "terminals are made"), "--ctty"];
}
