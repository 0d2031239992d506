/** Which of the noted hosts still answers, and whether the sockets of a state directory belong to the host of another. */
import { OperatorClient } from "@femtoclaw/client";
import { FemtoError, type HostEnvironment, printable } from "@femtoclaw/protocol";
import { assertPrivateSocketFolder } from "../endpoints/socket-directory.ts";
import { type HostPlace, notedHosts, type StartedHost } from "./started-hosts.ts";

/** Whether a host answers at the place that it noted, as the same start that wrote the note. */
export async function answers({ runtimeDirectory, boot }: StartedHost): Promise<boolean> {
  assertPrivateSocketFolder(runtimeDirectory);
  try {
    await using operator = await OperatorClient.connectUnproved(runtimeDirectory);
    return (await operator.status())["boot"] === boot;
  } catch (error) {
    if (error instanceof FemtoError && error.code === "FEMTO_HOST_NOT_RUNNING") return false;
    throw error;
  }
}

/**
 * INVARIANT: what is asked about one state directory is never answered by the host of another. Both have the same
 * sockets if the configuration names a folder for them and `--state`, or a change of the file, another state directory.
 */
export async function refuseForeignHost(environment: HostEnvironment, place: HostPlace): Promise<void> {
  const { stateDirectory, runtimeDirectory } = place;
  const foreign = noted(environment).filter(
    (host) => host.runtimeDirectory === runtimeDirectory && host.stateDirectory !== stateDirectory,
  );
  for (const host of foreign) if (await answers(host)) throw isForeign(place, host);
}

function noted(environment: HostEnvironment): readonly StartedHost[] {
  try {
    return notedHosts(environment);
  } catch (error) {
    // Notes that others could have written say nothing about a host.
    if (error instanceof FemtoError) return [];
    throw error;
  }
}

function isForeign(wanted: HostPlace, found: HostPlace): FemtoError {
  const sockets = printable(found.runtimeDirectory, 4_096);
  const state = printable(found.stateDirectory, 4_096);
  const reason = `no host of ${printable(wanted.stateDirectory, 4_096)} runs, and the sockets in ${sockets} are those of ${state}`;
  return new FemtoError("FEMTO_HOST_NOT_RUNNING", reason, {
    fix: `To use the host that runs, add --state ${state}. A host beside it needs another [host].runtime_dir.`,
  });
}
