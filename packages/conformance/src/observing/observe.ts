/** Lives through the stories and keeps what was seen. A story that breaks off is something seen, too. */
import { errorText } from "@femtoclaw/protocol";
import type { Observations, Seen } from "../observations.ts";
import { type Command, Place } from "../subject.ts";
import { configuration } from "./configuration.ts";
import { type DeployedPlace, observeDeployed } from "./deployed.ts";
import { observeExecutable } from "./executable.ts";
import { observeFailures } from "./failures.ts";
import { observeInstallation } from "./installation.ts";
import { observeLife } from "./life.ts";
import { observeTwins } from "./twins.ts";

export interface ObserveOptions {
  readonly command: Command;
  readonly installed: DeployedPlace | null;
  /** Executions whose resources are watched. */
  readonly executions: number;
  /** Messages that two deployments are compared by. */
  readonly messages: number;
  readonly onProgress: (text: string) => void;
}

export async function observe(options: ObserveOptions): Promise<Observations> {
  const { command, installed, executions, messages, onProgress } = options;
  onProgress("looking at the executable");
  const version = await versionOf(command);
  const executable = await seen(() => observeExecutable(command));
  onProgress("living through a life: start, calls, crash, restart, stop");
  const life = await seen(() => observeLife(command, executions));
  onProgress("breaking things, and repairing them");
  const failures = await seen(() => observeFailures(command));
  onProgress("comparing two deployments");
  const twins = await seen(() => observeTwins(command, messages));
  onProgress("installing it");
  const installation = await seen(() => observeInstallation(command));
  const deployed = installed === null ? null : await seen(() => observeDeployed(command, installed));
  return { version, life, failures, twins, executable, installation, deployed };
}

async function versionOf(command: Command): Promise<string> {
  await using place = new Place(command, configuration(null));
  return (await place.run(["--version"])).stdout.trim();
}

async function seen<T>(story: () => Promise<T>): Promise<Seen<T>> {
  try {
    return { ok: true, value: await story() };
  } catch (error) {
    return { ok: false, reason: errorText(error) };
  }
}
