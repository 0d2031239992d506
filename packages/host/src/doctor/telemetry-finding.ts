/** What `doctor` finds out about telemetry: whether it arrives, and who can fetch it. */

import { once } from "node:events";
import { connect } from "node:net";
import { printable } from "@femtoclaw/protocol";
import type { EndpointAddress } from "@femtoclaw/runtime/configuration";
import type { CommandContext } from "../commands/command-context.ts";
import type { LoadedConfiguration } from "../configuration/load-configuration.ts";
import { endpointUrl } from "../endpoints/endpoint-url.ts";
import { hostStatus } from "../process/host-status.ts";
import { type Found, ok } from "./finding.ts";
import type { Project } from "./project-findings.ts";

/** LIMIT: time for a connection to an address of this machine. */
const CONNECT_MS = 1_000;

export async function telemetryFinding({ context, loaded, running }: Project): Promise<Found> {
  const { otlpEndpoint, prometheus, health, endpointHosts } = loaded.resolved;
  const addresses = [prometheus, health].filter((address) => address !== undefined);
  if (otlpEndpoint === undefined && addresses.length === 0) return ok("none is configured");
  const places = [...(otlpEndpoint === undefined ? [] : [printable(otlpEndpoint)]), ...addresses.map(endpointUrl)];
  const detail = [...new Set(places)].join(", ");
  const trouble = running ? await troubleOf(context, loaded) : await strangerAt(addresses);
  if (trouble !== null) return { verdict: "warn", detail: `${detail}; ${trouble.reason}`, fix: trouble.fix };
  if (endpointHosts === undefined) return ok(`${detail}; only this machine may ask`);
  return {
    verdict: "warn",
    detail: `${detail}; anyone who can reach these addresses may ask, as ${endpointHosts.map((name) => printable(name)).join(", ")}`,
    fix: "Control access with a firewall or a proxy, or remove `hosts` from [observability].",
  };
}

interface Trouble {
  readonly reason: string;
  readonly fix: string;
}

async function troubleOf(context: CommandContext, loaded: LoadedConfiguration): Promise<Trouble | null> {
  await using operator = await context.unprovedOperator(loaded);
  const { signals } = await hostStatus(operator);
  const bad = signals.find(({ problem, rejected }) => problem !== null || rejected > 0);
  if (bad === undefined) return null;
  const { signal, lag, rejected, problem } = bad;
  const counts = `${lag ?? 0} records behind, ${rejected} items rejected for good`;
  return {
    reason: `${signal}: ${counts}${problem === null ? "" : `: ${printable(problem, 1_000)}`}`,
    fix: "Check the collector, or remove signals that it does not accept from [observability].signals. Unsent data is sent later.",
  };
}

/** Finds somebody else who listens at one of the addresses. While no host runs, nobody should. */
async function strangerAt(addresses: readonly EndpointAddress[]): Promise<Trouble | null> {
  for (const address of addresses) {
    if (!(await somebodyListens(address))) continue;
    return {
      reason: `another process listens at ${endpointUrl(address)}, so no host can start`,
      fix: "Stop that process, or choose another address under [observability].",
    };
  }
  return null;
}

async function somebodyListens({ host, port }: EndpointAddress): Promise<boolean> {
  const socket = connect({ host, port, timeout: CONNECT_MS });
  try {
    await Promise.race([once(socket, "connect"), once(socket, "timeout").then(() => Promise.reject())]);
    return true;
  } catch {
    // The connection was refused or did not come about in time, so nobody listens.
    return false;
  } finally {
    socket.destroy();
  }
}
