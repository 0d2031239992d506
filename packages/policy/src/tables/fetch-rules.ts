/** Entries of `fetch`, and the floor below them, as rules: to which hosts a request may go. */
import {
  type Authority,
  CONNECT_ACTION,
  type FetchGrant,
  fetchText,
  type HostQuestion,
  printable,
} from "@femtoclaw/protocol";
import type { PolicyAction } from "../schema.ts";
import { anyOf, entity, literal, set } from "./cedar-text.ts";
import {
  type CompiledRule,
  entryRule,
  forbids,
  type Mood,
  onceConditions,
  rule,
  type Terms,
  when,
} from "./table-rule.ts";

/** Actions of calls that name a host. */
export const hostActions = (actions: readonly PolicyAction[]): string[] =>
  actions.filter(({ resource, name }) => resource === "Host" && name !== CONNECT_ACTION).map(({ name }) => name);

/** The same, and connections of programs: what is forbidden to one is forbidden to the other. */
const allHostActions = (actions: readonly PolicyAction[]): string[] =>
  actions.filter(({ resource }) => resource === "Host").map(({ name }) => name);

/** The rules of one list, numbered in the order of its entries. */
export function fetchRules(
  mood: Mood,
  table: string,
  grants: readonly FetchGrant[] | undefined,
  actions: readonly PolicyAction[],
  terms: Terms = {},
): CompiledRule[] {
  // INVARIANT: an entry of `fetch` permits fetching only; no program may connect because of it.
  const concerned = forbids(mood) ? allHostActions(actions) : hostActions(actions);
  return (grants ?? []).flatMap((grant, index) => {
    const where = forbids(mood) ? forbiddenHosts(grant) : permittedHosts(grant);
    return entryRule(
      mood,
      terms,
      { actions: concerned, ...when([...onceConditions(terms), ...where]) },
      {
        id: `toml/${table}.fetch/${index + 1}`,
        source: grant.source,
        doing: `fetching from ${described(grant, mood)}`,
      },
    );
  });
}

/** Conditions that a call must meet for the entry to permit it; the same as `isPermittedBy`. */
function permittedHosts(grant: FetchGrant): string[] {
  const port =
    grant.port === null ? ['context.scheme == "https"', "context.port == 443"] : [`context.port == ${grant.port}`];
  return [...hostConditions(grant), ...port];
}

/** The same as `isForbiddenBy`. A forbidden address is forbidden under every name that leads to it, too. */
function forbiddenHosts(grant: FetchGrant): string[] {
  const { hosts, host, port } = grant;
  const address = literal(host.replace(/^\[|\]$/g, ""));
  const named =
    hosts === "one"
      ? [`(${hostConditions(grant)[0]} || context.addresses.contains(${address}))`]
      : hostConditions(grant);
  return [...named, ...(port === null ? [] : [`context.port == ${port}`])];
}

export function hostConditions({ hosts, host }: FetchGrant): string[] {
  switch (hosts) {
    case "one":
      return [`context.host == ${literal(host)}`];
    case "below":
      // A canonical name contains no character that has a meaning in a pattern.
      return [`context.host like ${literal(`*.${host}`)}`];
    case "any":
      return [];
  }
}

function described(grant: FetchGrant, mood: Mood): string {
  const text = printable(fetchText(grant));
  if (grant.port !== null) return text;
  return forbids(mood) ? `${text} on any port` : `${text} by https on port 443`;
}

/**
 * The exceptions from a floor, as conditions: hosts that an entry lists, hosts that it names with a port, and addresses
 * that it names with a port.
 */
interface FloorExceptions {
  readonly listed: readonly string[];
  readonly named: readonly string[];
  readonly addresses: readonly string[];
}

/** Rules that no entry of the operator can override, unless it names the very host or address with its port. */
export function hostFloor({ allow, ask }: Authority, actions: readonly PolicyAction[]): CompiledRule[] {
  const grants = [...(allow.fetch ?? []), ...(ask.fetch ?? [])];
  const named = grants.filter(namesPort);
  const exceptions = {
    listed: hostsAmong(grants) ?? [],
    named: among(named),
    addresses: among(named.filter(isAddress)),
  };
  return addressFloor(hostActions(actions), exceptions, { id: "", table: "[allow].fetch", entry: "fetch" });
}

export const namesPort = ({ hosts, port }: FetchGrant): boolean => hosts === "one" && port !== null;
export const isAddress = ({ host }: FetchGrant): boolean => host.startsWith("[") || /^[0-9.]+$/.test(host);

export function addressFloor(
  actions: readonly string[],
  { listed, named, addresses }: FloorExceptions,
  { id, table, entry }: { readonly id: string; readonly table: string; readonly entry: string },
): CompiledRule[] {
  return [
    // INVARIANT: a name that no entry lists is not looked up, and a host that was not looked up is not reached.
    ...floorRule("unlisted-host", ["unresolved"], listed, {
      reason: `a name that no entry of ${entry} lists is not even looked up`,
      fix: `name the host under ${table}`,
    }),
    // INVARIANT: a name may lead to a private address only if the operator named it with its port.
    ...floorRule("private-address", ["loopback", "private"], named, {
      reason: "addresses of this machine and of private networks are out of reach",
      fix: `name the very host with its port under ${table}`,
    }),
    // INVARIANT: no name may lead to these addresses at all: its name server could point it at the keys of a
    // cloud.
    ...floorRule("special-address", ["link_local", "metadata", "multicast", "reserved"], addresses, {
      reason: "metadata services, link-local, multicast and reserved addresses are out of reach",
      fix: `name the very address with its port under ${table}`,
    }),
  ];

  function floorRule(
    name: string,
    networks: readonly HostQuestion["network"][],
    exceptions: readonly string[],
    about: { readonly reason: string; readonly fix: string },
  ): CompiledRule[] {
    const inside = `${set(networks.map(literal))}.contains(context.network)`;
    const condition = exceptions.length === 0 ? inside : `${inside} && !(${anyOf(exceptions)})`;
    return rule(
      { effect: "forbid", actions, clause: { kind: "when", condition } },
      { id: `floor/${id}${name}`, source: null, ...about },
    );
  }
}

function among(grants: readonly FetchGrant[]): string[] {
  if (grants.length === 0) return [];
  return [`resource in ${set(grants.map(({ host, port }) => entity("Host", `${host}:${port}`)))}`];
}

/** Restricts an agent to those permitted uses that one of its own entries permits too. */
export function hostsAmong(grants: readonly FetchGrant[] | undefined): readonly string[] | undefined {
  return grants?.map((grant) => `(${permittedHosts(grant).join(" && ")})`);
}
