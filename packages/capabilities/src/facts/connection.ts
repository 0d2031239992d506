/** Resolves the target of a program's connection into facts: host, port, and the only addresses that are dialled. */
import {
  type Authority,
  canonicalHost,
  connectGrants,
  type HostQuestion,
  isForbiddenBy,
  isPermittedBy,
  portNumber,
  printable,
} from "@femtoclaw/protocol";
import type { HostNames } from "./host-names.ts";
import { leastPublic } from "./network-of.ts";
import { Refusal } from "./refusal.ts";

/** The programs of a call, and where one of them wants to connect to. */
export interface ConnectionRequest {
  /** `host:port`, as a program wrote it. */
  readonly target: string;
  /** The programs of the call, as they were decided on; all of them share the connection. */
  readonly programs: readonly [ConnectingProgram, ...ConnectingProgram[]];
  readonly authority: Authority;
  readonly names: HostNames;
  /** N for the Nth host of the call. */
  readonly hop: number;
}

export interface ConnectingProgram {
  readonly program: string;
  readonly realPath: string;
}

/** The facts of a connection and where it may go, or why there are none. */
export type ConnectionFacts =
  /** One question for each program, all of them about the same addresses. */
  | { readonly ok: true; readonly questions: readonly HostQuestion[]; readonly bound: BoundConnection }
  | { readonly ok: false; readonly reason: string };

export interface BoundConnection {
  /** Canonical; an IPv6 address stands in brackets. */
  readonly host: string;
  readonly port: number;
  /** The only addresses that may be dialled, in the order in which they were found. */
  readonly addresses: readonly string[];
}

/** Takes the facts of one connection. A refusal is returned as a value. */
export async function connectionFacts(request: ConnectionRequest): Promise<ConnectionFacts> {
  try {
    const { programs, hop } = request;
    const { host, port, isName } = plainTarget(request.target);
    const addresses = isName ? await nameAddresses(host, port, request) : [host.replace(/^\[|\]$/g, "")];
    const facts = { host, port, addresses: [...addresses].sort(), network: leastPublic(addresses) };
    // Nothing of the traffic is read, so nothing is known about it.
    const unread = { method: "CONNECT", path: "", headers: [], injects: [], bytes: 0 };
    return {
      ok: true,
      // INVARIANT: all programs share one lookup, so that each of them is judged by the addresses that are dialled.
      questions: programs.map(({ program, realPath }) => {
        return { kind: "host", scheme: "tunnel", ...facts, ...unread, hop, program, real_path: realPath };
      }),
      bound: { host, port, addresses },
    };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, reason: error.message };
    throw error;
  }
}

const TARGET = /^(?<host>\[[^\]]*\]|[^:@/?#\\[\]]+):(?<port>[0-9]{1,5})$/;

/**
 * INVARIANT: each host has one spelling, as for `net_fetch`; a target that another parser could read differently is
 * refused.
 */
export function plainTarget(target: string): {
  readonly host: string;
  readonly port: number;
  readonly isName: boolean;
} {
  const { host: written = "", port: portText = "" } = TARGET.exec(target)?.groups ?? {};
  const port = portNumber(portText);
  if (port === null) throw new Refusal(`${shown(target)} is not a host with a port`);
  const spelt = canonicalHost(written);
  if (!spelt.ok) throw new Refusal(`the host ${shown(written)} ${spelt.problem}`);
  return { host: spelt.host, port, isName: spelt.kind === "name" };
}

/**
 * INVARIANT: a name is looked up only if an entry for each program may permit it, because a lookup reveals the name's
 * text.
 */
async function nameAddresses(
  host: string,
  port: number,
  { authority, names, programs }: ConnectionRequest,
): Promise<readonly string[]> {
  // An entry without a port means the port of https, as it does for a request by https.
  const target = { scheme: "https", host, port } as const;
  const listed = programs.every((program) =>
    connectGrants(authority, program).some((grant) => isPermittedBy(grant, target)),
  );
  const denied = (authority.deny.fetch ?? []).some((grant) => isForbiddenBy(grant, target));
  return listed && !denied ? await names.addressesOf(host) : [];
}

const shown = (text: string): string => `\`${printable(text, 100)}\``;
