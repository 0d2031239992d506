/** Plays all stories and collects the observations. A story that breaks off is an observation as well. */
import { errorText } from "@femtoclaw/protocol";
import type { Observations, Seen } from "../observations.ts";
import { type Command, Place } from "../subject.ts";
import { configuration } from "./configuration.ts";
import { type DeployedPlace, observeDeployed } from "./deployed.ts";
import { observeExecutable } from "./executable.ts";
import { observeFailures } from "./failures.ts";
import { observeInstallation } from "./installation.ts";
import { observeLife } from "./life.ts";
import { observeSurroundings } from "./surroundings.ts";
import { observeTwins } from "./twins.ts";
import { observeUpgrade } from "./upgrade.ts";

/**
 * LIMIT: how often an upgrade is killed; each attempt costs an upgrade, another one that completes it, and a rollback.
 */
const KILLS = 3;

export interface ObserveOptions {
  readonly command: Command;
  readonly installed: DeployedPlace | null;
  /** The executable to upgrade from, by the same signer; null for an earlier version of the examined one. */
  readonly from: string | null;
  /** Another build of the same executable; null if none was given. */
  readonly rebuilt: string | null;
  /** Executions whose resources are watched. */
  readonly executions: number;
  /** Messages that are sent to both of the compared deployments. */
  readonly messages: number;
  readonly onProgress: (text: string) => void;
}

export async function observe(options: ObserveOptions): Promise<Observations> {
  const { command, installed, from, rebuilt, executions, messages, onProgress } = options;
  onProgress("looking at the executable");
  const version = await versionOf(command);
  const executable = await seen(() => observeExecutable(command, rebuilt));
  onProgress("starting it where something is missing");
  const surroundings = await seen(() => observeSurroundings(command));
  onProgress("living through a life: start, calls, crash, restart, stop");
  const life = await seen(() => observeLife(command, executions));
  onProgress("breaking things, and repairing them");
  const failures = await seen(() => observeFailures(command));
  onProgress("comparing two deployments");
  const twins = await seen(() => observeTwins(command, messages));
  onProgress("installing it");
  const installation = await seen(() => observeInstallation(command));
  onProgress("upgrading it under its host, and taking it back");
  const upgrade = await seen(() => observeUpgrade({ command, from, kills: KILLS }));
  const deployed = installed === null ? made(installation) : await seen(() => observeDeployed(command, installed));
  return { version, life, failures, twins, executable, surroundings, installation, upgrade, deployed };
}

/** If no deployment in use was named, the one that was installed here is examined. */
function made(installation: Observations["installation"]): Observations["deployed"] {
  return installation.ok && installation.value.refused === null
    ? { ok: true, value: installation.value.deployed }
    : null;
}

async function versionOf(command: Command): Promise<string> {
  await using place = new Place(command, configuration());
  return (await place.run(["--version"])).stdout.trim();
}

async function seen<T>(story: () => Promise<T>): Promise<Seen<T>> {
  try {
    return { ok: true, value: await story() };
  } catch (error) {
    return { ok: false, reason: errorText(error) };
  }
}
