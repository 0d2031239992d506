/** What one call sends to hosts and receives from them, host by host, in the form of its record. */
import type { Traffic } from "@femtoclaw/capabilities";
import type { ExecutionOutcomeBody } from "@femtoclaw/protocol";
import { shown } from "./hops.ts";

type RecordedTraffic = NonNullable<ExecutionOutcomeBody["connections"]>;

/** Counts the traffic of a capability that is given the host which its call names. */
export class Carried {
  readonly #hosts = new Map<string, Traffic>();

  /** The counters of a host, which are the same object each time. */
  at(host: string): Traffic {
    const traffic = this.#hosts.get(host) ?? noTraffic();
    this.#hosts.set(host, traffic);
    return traffic;
  }

  get recorded(): RecordedTraffic {
    return [...this.#hosts].map(([host, traffic]) => recordedTraffic(shown(host), traffic));
  }
}

export function noTraffic(): Traffic {
  return { connections: 0, refused: 0, bytesOut: 0, bytesIn: 0 };
}

export function recordedTraffic(
  host: string,
  { connections, refused, bytesOut, bytesIn }: Traffic,
): RecordedTraffic[number] {
  return { host, connections, refused, bytes_out: bytesOut, bytes_in: bytesIn };
}
