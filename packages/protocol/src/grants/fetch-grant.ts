/** Entries of `fetch`: which hosts they name, and what each means when it permits and when it forbids. */
import { canonicalHost, portNumber } from "./host-spelling.ts";

export interface FetchPattern {
  /** One host, all names below a name, or any host. */
  readonly hosts: "one" | "below" | "any";
  /** Canonical host. For hosts below a name, it is that name; for any host, it is empty. */
  readonly host: string;
  /** Null if the entry names no port. */
  readonly port: number | null;
}

export interface FetchGrant extends FetchPattern {
  /** For people: `femtoclaw.toml:12:9`. */
  readonly source: string;
}

/** A host that one program may connect to while it runs. */
export interface ConnectGrant extends FetchGrant {
  /** The path by which the search path finds the program. */
  readonly program: string;
  /** The file that the path leads to. */
  readonly realPath: string;
}

/** The action by which policy knows a program's connections. No capability has this name, so no call can ask for it. */
export const CONNECT_ACTION = "process_connect";

/** Where a request would go. */
export interface FetchTarget {
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly port: number;
}

export const DEFAULT_PORTS = { http: 80, https: 443 } as const;

/** Labels that a name needs for everything below it to belong to one operator: `*.com` is half of the world. */
const BELOW_LABELS = 2;

export function fetchPattern(written: string): FetchPattern | { readonly problem: string } {
  const { host: named = "", port: portText } =
    /^(?<host>\[[^\]]*\]|[^:]*)(?::(?<port>.*))?$/s.exec(written)?.groups ?? {};
  const port = portText === undefined ? null : portNumber(portText);
  if (/[/@?#\\]/.test(written)) return { problem: "write only the host, without scheme, user and path" };
  if (portText !== undefined && port === null) return { problem: `\`${portText}\` is no port` };
  if (named === "*") return { hosts: "any", host: "", port };
  const isBelow = named.startsWith("*.");
  const spelt = canonicalHost(isBelow ? named.slice("*.".length) : named);
  if (!spelt.ok) return { problem: `\`${named}\` ${spelt.problem}` };
  if (!isBelow) return { hosts: "one", host: spelt.host, port };
  if (spelt.kind !== "name") return { problem: "nothing lies below an address" };
  if (spelt.host.split(".").length < BELOW_LABELS)
    return { problem: `\`${named}\` is too wide; name the hosts that you mean below it` };
  return { hosts: "below", host: spelt.host, port };
}

/** The entry as the operator writes it. */
export function fetchText({ hosts, host, port }: FetchPattern): string {
  const named = { one: host, below: `*.${host}`, any: "*" }[hosts];
  return port === null ? named : `${named}:${port}`;
}

/** INVARIANT: hosts of one program are never those of another, not even under another name of the same file. */
export function connectGrants(
  { connect = [] }: { readonly connect?: readonly ConnectGrant[] },
  program: Pick<ConnectGrant, "program" | "realPath">,
): readonly ConnectGrant[] {
  return connect.filter((grant) => grant.program === program.program && grant.realPath === program.realPath);
}

/** INVARIANT: I8: without a port an entry permits only https on its default port. */
export function isPermittedBy(pattern: FetchPattern, target: FetchTarget): boolean {
  const { scheme, port } = target;
  const fits = pattern.port === null ? scheme === "https" && port === DEFAULT_PORTS.https : pattern.port === port;
  return fits && namesHost(pattern, target.host);
}

/** INVARIANT: without a port an entry forbids every port. */
export function isForbiddenBy(pattern: FetchPattern, target: FetchTarget): boolean {
  return (pattern.port === null || pattern.port === target.port) && namesHost(pattern, target.host);
}

function namesHost({ hosts, host }: FetchPattern, named: string): boolean {
  switch (hosts) {
    case "one":
      return named === host;
    case "below":
      return named.endsWith(`.${host}`);
    case "any":
      return true;
  }
}
