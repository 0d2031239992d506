/** Where a host reports its state: to a collector, and at addresses of this machine to those who ask. */
import type { Configuration } from "@femtoclaw/protocol";
import type { Places } from "./places.ts";

/** An address of this machine at which something is served. */
export interface EndpointAddress {
  /** An IP address, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** The table `[observability]`, resolved. */
export interface ObservabilitySettings {
  /** OTLP over HTTP; absent if nothing is sent. */
  readonly otlpEndpoint: string | undefined;
  /** The signals that are sent there; absent for all of them. */
  readonly otlpSignals?: readonly ("traces" | "logs" | "metrics")[];
  /** Where metrics are served, and where health is. */
  readonly prometheus?: EndpointAddress;
  readonly health?: EndpointAddress;
  /** Further host names for these addresses; absent if only this machine may ask. */
  readonly endpointHosts?: readonly string[];
}

export function resolveObservability({ observability }: Configuration, places: Places): ObservabilitySettings {
  const { otlp, signals, prometheus: metrics, health: asked, hosts } = observability ?? {};
  const isOpen = hosts !== undefined;
  const prometheus = resolveAddress("prometheus", metrics, isOpen, places);
  const health = resolveAddress("health", asked, isOpen, places);
  return {
    otlpEndpoint: resolveEndpoint(otlp, places),
    ...(signals === undefined ? {} : { otlpSignals: [...new Set(signals)].sort() }),
    ...(prometheus === undefined ? {} : { prometheus }),
    ...(health === undefined ? {} : { health }),
    ...(hosts === undefined ? {} : { endpointHosts: hosts.map((name) => name.toLowerCase()) }),
  };
}

function resolveEndpoint(written: string | undefined, places: Places): string | undefined {
  if (written === undefined) return undefined;
  const url = URL.parse(written);
  const place = ["observability", "otlp"];
  if (url === null) places.fault(place, "expected an address such as http://127.0.0.1:4318");
  // The endpoint is shown by status and written to the journal.
  else if (url.username !== "" || url.password !== "")
    places.fault(place, "an address must not contain a user or password");
  return written;
}

/** Accepts only numeric addresses, because somebody else decides what a name means. */
function resolveAddress(
  key: "prometheus" | "health",
  written: string | undefined,
  isOpen: boolean,
  places: Places,
): EndpointAddress | undefined {
  if (written === undefined) return undefined;
  const fault = (message: string): undefined => {
    places.fault(["observability", key], message);
  };
  const [, host = "", digits = ""] = /^(\[[0-9A-Fa-f:.]+\]|[0-9]+(?:\.[0-9]+){3}):([0-9]{1,5})$/.exec(written) ?? [];
  const port = Number(digits);
  const canonical = URL.parse(`http://${host}`)?.hostname;
  // INVARIANT: an address that would be read as another number than it looks like is refused.
  const isSame = host.startsWith("[") ? canonical !== undefined : canonical === host;
  if (canonical === undefined || !isSame || port < 1 || port > 65_535)
    return fault("expected an address such as 127.0.0.1:9464");
  const address = canonical.replace(/^\[|\]$/g, "");
  // INVARIANT: I8: who may ask from elsewhere must be named, or nobody may.
  if (!isLoopback(address) && !isOpen)
    return fault("expected an address of this machine alone; `hosts` names who else may ask");
  return { host: address, port };
}

function isLoopback(host: string): boolean {
  return host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
