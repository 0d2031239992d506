/**
 * Resolves the address of an MCP server as its operator named it, and refuses networks to which its name must not lead.
 */
import { FemtoError, printable } from "@femtoclaw/protocol";
import type { BoundHost } from "../facts/bound-arguments.ts";
import { headerNames, plainUrl, secretsOf } from "../facts/host.ts";
import type { HostNames } from "../facts/host-names.ts";
import { isThisMachine, leastPublic } from "../facts/network-of.ts";
import { Refusal } from "../facts/refusal.ts";
import type { SecretLookUp } from "../facts/stored-secrets.ts";

export interface UpstreamAddress {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly names: HostNames;
  readonly secrets: SecretLookUp;
}

const NEARBY = ["public", "private", "loopback"];

/** Throws FEMTO_UPSTREAM_UNAVAILABLE if the server may not be reached, or a secret of its headers is missing. */
export async function upstreamHost({
  url: text,
  headers,
  names,
  secrets: lookUp,
}: UpstreamAddress): Promise<BoundHost> {
  try {
    const url = plainUrl(text);
    headerNames(headers);
    const { scheme, host, port, target, isName } = url;
    const addresses = isName ? await names.addressesOf(host) : [host.replace(/^\[|\]$/g, "")];
    const network = leastPublic(addresses);
    // INVARIANT: nobody who answers for a name can make it lead to the metadata service of a cloud, and so to its keys.
    if (isName && !NEARBY.includes(network)) throw new Refusal(`the host ${host} leads to a ${network} address`);
    if (scheme === "http" && !isThisMachine(addresses)) throw new Refusal("http is for servers of this machine");
    const secrets = secretsOf(headers, url, addresses, lookUp);
    return { kind: "host", scheme, host, port, target, addresses, secrets };
  } catch (error) {
    if (error instanceof Refusal) throw new FemtoError("FEMTO_UPSTREAM_UNAVAILABLE", printable(error.message, 500));
    throw error;
  }
}
