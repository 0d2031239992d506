/** How an address is written where people and browsers read it. */
import type { EndpointAddress } from "@femtoclaw/runtime";

export function endpointUrl({ host, port }: EndpointAddress): string {
  return `http://${bracketed(host)}:${port}`;
}

export const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host);
