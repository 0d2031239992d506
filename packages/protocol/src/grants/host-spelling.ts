/**
 * Hosts and ports as a URL or an entry of `fetch` may spell them. Each host has exactly one spelling: if two readers
 * take a text for different hosts, a request ends up where nobody allowed it.
 */

export type HostSpelling =
  | { readonly ok: true; readonly host: string; readonly kind: "name" | "ipv4" | "ipv6" }
  | { readonly ok: false; readonly problem: string };

const PRINTABLE_ASCII = /^[\x21-\x7e]+$/;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const IPV4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);
/** A last label that makes every URL parser take the whole name for an IPv4 address. */
const NUMBER = /^(?:[0-9]+|0x[0-9a-f]*)$/;
/** LIMIT: characters of a name, as the domain name system limits it. */
const NAME_CHARS = 253;

/** The host in lower case. An IPv6 address keeps its brackets. */
export function canonicalHost(written: string): HostSpelling {
  // Checked before lower-casing, which would turn some non-ASCII letters into ASCII letters.
  if (!PRINTABLE_ASCII.test(written)) return refused("is not ASCII; write an international name as `xn--…`");
  const host = written.toLowerCase();
  if (host.startsWith("[")) return canonicalIpv6(host);
  if (IPV4.test(host)) return { ok: true, host, kind: "ipv4" };
  const labels = host.split(".");
  if (host.length > NAME_CHARS || !labels.every((label) => LABEL.test(label)))
    return refused("is not a valid name of a host");
  if (NUMBER.test(labels.at(-1) ?? "")) return refused("is not an IPv4 address such as `1.2.3.4`");
  if (parsedHost(host) !== host) return refused("is not a valid name");
  return { ok: true, host, kind: "name" };
}

/** A port such as `80` or `65535`, without sign or leading zero. Null for anything else. */
export function portNumber(written: string): number | null {
  const port = Number(written);
  return /^[1-9][0-9]{0,4}$/.test(written) && port <= 65_535 ? port : null;
}

function canonicalIpv6(host: string): HostSpelling {
  const canonical = parsedHost(host);
  if (canonical === null) return refused("is not an IPv6 address");
  if (canonical !== host) return refused(`is written as ${canonical}`);
  return { ok: true, host, kind: "ipv6" };
}

function parsedHost(host: string): string | null {
  return URL.parse(`http://${host}/`)?.hostname ?? null;
}

function refused(problem: string): HostSpelling {
  return { ok: false, problem };
}
