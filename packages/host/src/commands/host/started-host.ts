/**
 * Decides which host `status`, `down` and `halt` go to. It has to be possible to look at a host and to stop it whatever
 * has become of its configuration. A configuration that does not count or cannot be read is not believed; the host that
 * was started by it is found by the note that the host itself wrote.
 */
import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import type { OperatorClient } from "@femtoclaw/client";
import { EXIT, FemtoError, printable } from "@femtoclaw/protocol";
import { answers } from "../../configuration/answering-host.ts";
import { configurationPlaces } from "../../configuration/locate-configuration.ts";
import { notedHosts, type StartedHost } from "../../configuration/started-hosts.ts";
import type { CommandContext, Placed } from "../command-context.ts";

/**
 * The place of a host, the configuration that it was started by, and why that configuration does not count any more, if
 * so.
 */
export interface HostInQuestion extends Placed {
  readonly configuration: string;
  readonly fault: FemtoError | null;
}

/** If the configuration is at fault and no host is known to run by it, throws the fault. */
export async function startedHost(context: CommandContext): Promise<HostInQuestion> {
  try {
    const { path, resolved } = context.load();
    return { configuration: path, resolved, fault: null };
  } catch (error) {
    if (!(error instanceof FemtoError) || error.exit !== EXIT.configuration) throw error;
    const { state } = context.options;
    const running = await runningHosts(
      context,
      state === undefined ? undefined : realOrAsIs(resolve(context.cwd, state)),
    );
    const [host, ...others] = running;
    if (host === undefined) throw unknownHost(error);
    if (others.length > 0) throw severalHosts(running);
    return { configuration: host.configuration, resolved: host, fault: error };
  }
}

/** Like `startedHost`, for a command that stops something: also tells how the host was found. */
export async function hostToStop(context: CommandContext): Promise<Placed> {
  const host = await startedHost(context);
  const by = printable(host.configuration, 4_096);
  if (host.fault !== null) {
    context.output.talk(`${host.fault.message}; going by what the host noted that was started by ${by}`);
  }
  return host;
}

/**
 * Connects to the host. If none listens there, the error names those started by the same configuration. A host that was
 * started with `--state` is found without it, too; with it, no other host is taken for the one that is meant.
 */
export async function operatorOf(context: CommandContext, host: Placed): Promise<OperatorClient> {
  try {
    return await context.unprovedOperator(host, { ofAnyState: context.options.state === undefined });
  } catch (error) {
    if (!(error instanceof FemtoError) || error.code !== "FEMTO_HOST_NOT_RUNNING") throw error;
    // If others could have written what is read here, that is no reason to report anything but the first error.
    const noted = await runningHosts(context).catch(() => []);
    // The error itself names one that has the same sockets.
    const running = noted.filter(({ runtimeDirectory }) => runtimeDirectory !== host.resolved.runtimeDirectory);
    if (running.length === 0) throw error;
    const { code, message, cause } = error;
    throw new FemtoError(code, `${message}, but ${running.length === 1 ? "one runs" : "some run"} elsewhere`, {
      fix: `To use one that was started with this configuration, add ${statesOf(running)}.`,
      cause,
    });
  }
}

/**
 * INVARIANT: I8: a host counts only if it answers at the place that it noted, as the same start that wrote the note. No
 * other host is taken for it.
 */
async function runningHosts(context: CommandContext, state?: string): Promise<readonly StartedHost[]> {
  const { environment, cwd, options } = context;
  const noted = notedHosts(environment).filter((host) => state === undefined || host.stateDirectory === state);
  for (const path of configurationPlaces({ cwd, environment, configFlag: options.config })) {
    const running: StartedHost[] = [];
    for (const host of noted) if (host.configuration === path && (await answers(host))) running.push(host);
    if (running.length > 0) return running;
  }
  return [];
}

function unknownHost({ code, message, fix, cause }: FemtoError): FemtoError {
  const other =
    "No host is known to run with it. A host can also be stopped with SIGTERM, for example with `kill PID`.";
  return new FemtoError(code, message, { fix: `${fix} ${other}`, cause });
}

function severalHosts(running: readonly StartedHost[]): FemtoError {
  return new FemtoError("FEMTO_USAGE", `${running.length} hosts run that were started with this configuration`, {
    fix: `Say which one you mean with one of: ${statesOf(running)}`,
  });
}

function statesOf(running: readonly StartedHost[]): string {
  return running.map(({ stateDirectory }) => `--state ${printable(stateDirectory, 4_096)}`).join(", ");
}

function realOrAsIs(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}
