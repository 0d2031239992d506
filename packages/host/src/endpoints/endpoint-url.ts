/** Addresses in the form in which people and browsers read them. */
import type { EndpointAddress } from "@femtoclaw/runtime/configuration";

export function endpointUrl({ host, port }: EndpointAddress): string {
  return `http://${bracketed(host)}:${port}`;
}

export const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host);
