/**
 * The network in which an address lies. An address counts as public only if it plainly is: an unused range may be used
 * tomorrow.
 */
import { BlockList, isIPv4 } from "node:net";
import type { HostQuestion } from "@femtoclaw/protocol";

export type Network = HostQuestion["network"];

/** From the least public to the most; the first range that contains an address decides. */
const RANGES: readonly (readonly [Exclude<Network, "public" | "unresolved">, readonly string[]])[] = [
  [
    "metadata",
    [
      ...["169.254.169.254/32", "169.254.170.2/32", "169.254.170.23/32", "169.254.169.123/32"],
      ...["168.63.129.16/32", "100.100.100.200/32", "192.0.0.192/32"],
      ...["fd00:ec2::254/128", "fd00:ec2::23/128", "fd20:ce::254/128", "fd00:42::42/128"],
    ],
  ],
  ["multicast", ["224.0.0.0/4", "ff00::/8"]],
  [
    "reserved",
    [
      ...["0.0.0.0/8", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24"],
      ...["203.0.113.0/24", "240.0.0.0/4"],
      // Tunnels and benchmarks below 2001::/23, documentation, 6to4. Everything outside 2000::/3 is reserved below.
      ...["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"],
    ],
  ],
  ["link_local", ["169.254.0.0/16", "fe80::/10"]],
  ["loopback", ["127.0.0.0/8", "::1/128"]],
  ["private", ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"]],
];
const LISTS = RANGES.map(([network, ranges]) => [network, listOf(ranges)] as const);
/** The only IPv6 addresses in public use. Mapped, compatible and translated IPv4 addresses lie outside. */
const GLOBAL_IPV6 = listOf(["2000::/3"]);

/**
 * INVARIANT: an address is public only if no range contains it, in whatever form an IPv4 address may be hidden in it.
 */
function networkOf(address: string): Network {
  const family = isIPv4(address) ? "ipv4" : "ipv6";
  const found = LISTS.find(([, list]) => list.check(address, family))?.[0];
  if (found !== undefined) return found;
  return family === "ipv4" || (GLOBAL_IPV6.check(address, "ipv6") && !address.includes(".")) ? "public" : "reserved";
}

/** The least public of several addresses counts, because any of them may be dialled. */
export function leastPublic(addresses: readonly string[]): Network {
  if (addresses.length === 0) return "unresolved";
  const found = new Set(addresses.map(networkOf));
  return RANGES.map(([network]) => network).find((network) => found.has(network)) ?? "public";
}

/** INVARIANT: all of them, as any may be dialled; a name can lead to this machine and to another one at once. */
export function isThisMachine(addresses: readonly string[]): boolean {
  return addresses.length > 0 && addresses.every((address) => networkOf(address) === "loopback");
}

function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = "", prefix = ""] = range.split("/");
    list.addSubnet(address, Number(prefix), isIPv4(address) ? "ipv4" : "ipv6");
  }
  return list;
}
