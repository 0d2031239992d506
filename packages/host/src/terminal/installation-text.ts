/** The messages of `install` and `uninstall`: what would be done or was done, and how to start the host then. */
import { delimiter, dirname } from "node:path";
import { EXIT, printable } from "@femtoclaw/protocol";
import { ownersEnvironment } from "../installation/host-control.ts";
import type { InstallPlan } from "../installation/install-plan.ts";
import type { InForce, Library } from "../installation/library.ts";
import type { Release } from "../installation/release.ts";
import { systemctlOf } from "../installation/service-unit.ts";
import type { Removal } from "../installation/uninstall.ts";
import type { Output } from "./output.ts";
import { table } from "./table.ts";

interface ToldStep {
  readonly do: string;
  readonly kind: string;
  readonly path: string;
  readonly mode?: string;
  readonly owner?: string;
  readonly target?: string;
}

export function tellPlan(output: Output, plan: InstallPlan, release: Release, current: InForce | null): number {
  const steps = plan.steps.map((step): ToldStep => {
    const { kind, path } = step;
    if (step.kind === "link") return { do: "make", kind, path, target: step.target };
    const mode = step.mode.toString(8).padStart(4, "0");
    return {
      do: "make",
      kind,
      path,
      mode,
      ...(step.kind === "folder" && step.owner ? { owner: step.owner.name } : {}),
    };
  });
  const { library } = plan.layout;
  const deploy = { do: "put-in-force", kind: "executable", path: library, target: release.version };
  return tellSteps(output, current === null ? [...steps, deploy] : steps);
}

export function tellSteps(output: Output, steps: readonly ToldStep[]): number {
  if (output.json) output.value(steps);
  else {
    const rows = steps.map((step) => [
      ...[step.do, step.kind, step.mode ?? "", step.owner ?? ""],
      `${shown(step.path)}${step.target === undefined ? "" : ` -> ${shown(step.target)}`}`,
    ]);
    for (const line of table(rows)) output.line(line);
    output.talk("nothing was changed");
  }
  return EXIT.ok;
}

export interface Installed {
  readonly plan: InstallPlan;
  readonly release: Release;
  readonly isNew: boolean;
  /** The search path for programs of the user who installs. */
  readonly path: string | undefined;
}

export function tellInstalled(output: Output, { plan, release, isNew, path }: Installed): number {
  const { layout, configuration, keepsConfiguration, steps } = plan;
  const { version } = release;
  if (output.json) {
    const paths = { command: layout.command, library: layout.library, configuration, data: layout.data };
    output.value({ event: "installed", version, changed: isNew || steps.length > 0, ...paths });
    return EXIT.ok;
  }
  for (const { path } of steps) output.line(`made ${shown(path)}`);
  if (!isNew) {
    output.line(
      steps.length > 0 ? "made anew what was missing" : `${version} is installed already, and nothing is missing`,
    );
    return EXIT.ok;
  }
  if (keepsConfiguration) output.line(`${shown(configuration)} was there and stays as it is`);
  output.line(`installed: ${version} in ${shown(layout.library)}`);
  output.talk(`next: write what agents may do into ${shown(configuration)}, then start it:`);
  for (const line of howToStart(plan)) output.talk(`  ${line}`);
  const folder = dirname(layout.command);
  if (!(path ?? "").split(delimiter).includes(folder)) {
    output.talk(`${shown(folder)} is not on your PATH; until it is, write ${shown(layout.command)} for femtoclaw`);
  }
  return EXIT.ok;
}

function howToStart({ layout, configuration, owner, steps }: InstallPlan): string[] {
  const systemctl = systemctlOf(layout.scope);
  const isService = steps.some(({ path }) => path === layout.unit);
  const enable = `${systemctl} enable --now ${layout.prefix === null ? "femtoclaw" : shown(layout.unit)}`;
  const home = owner === null ? "" : ownersEnvironment(layout.data)["HOME"];
  const as = owner === null ? "" : `setpriv --reuid ${owner.uid} --regid ${owner.gid} --clear-groups env HOME=${home} `;
  const up = `${as}${shown(layout.command)} --config ${shown(configuration)} up --detach`;
  return isService ? [`${systemctl} daemon-reload && ${enable}`, `or by hand: ${up}`] : [up];
}

export function tellRemoval(output: Output, removal: Removal): number {
  if (output.json) output.value({ event: "uninstalled", ...removal });
  else {
    for (const path of removal.removed) output.line(`removed ${shown(path)}`);
    for (const path of removal.emptied) output.line(`emptied ${shown(path)}`);
    for (const path of removal.left) output.line(`left ${shown(path)}, which holds what was not installed`);
  }
  return EXIT.ok;
}

/** A command that a person can type, for the installation in question. */
export function byHand(library: Library, { receipt }: InForce, command: string): string {
  return `${shown(library.program())} --config ${shown(receipt.configuration)} ${command}`;
}

/** LIMIT: characters of a path; no system has longer ones. */
export const shown = (path: string): string => printable(path, 4_096);
