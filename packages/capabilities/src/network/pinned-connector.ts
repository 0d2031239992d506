/**
 * Connects to the addresses that were decided on and to nothing else. Node looks names up anew, and asks nobody about
 * an address that stands for itself, so no name ever gets as far as a socket here.
 */
import { isIP, type Socket, SocketAddress } from "node:net";
import { FemtoError } from "@femtoclaw/protocol";
import type { buildConnector } from "undici";
import type { BoundHost } from "../facts/bound-arguments.ts";

/** LIMIT: time of one address to take the connection, TLS included; the next one is tried after it. */
export const CONNECT_MS = 10_000;

export function pinnedConnector(
  build: typeof buildConnector,
  { scheme, host, addresses }: BoundHost,
  signal: AbortSignal,
  onConnected: (socket: Socket) => void,
): buildConnector.connector {
  // INVARIANT: certificates are verified, whatever the variables of the host say.
  const connect = build({
    allowH2: false,
    maxCachedSessions: 0,
    timeout: CONNECT_MS,
    autoSelectFamily: false,
    rejectUnauthorized: true,
  });
  const isName = scheme === "https" && isIP(host.replace(/^\[|\]$/g, "")) === 0;
  return (options, callback) => {
    const attempt = (index: number): void => {
      const address = addresses[index];
      if (address === undefined || isIP(address) === 0) return callback(refused("no address was decided on"), null);
      const { servername: _, ...rest } = options;
      connect({ ...rest, hostname: address, ...(isName ? { servername: host } : {}) }, (error, socket) => {
        if (error !== null) {
          if (index + 1 >= addresses.length || signal.aborted) return callback(error, null);
          return attempt(index + 1);
        }
        // INVARIANT: the address that answered is the one that was decided on.
        if (!isSameAddress(socket.remoteAddress, address)) {
          socket.destroy();
          return callback(refused("another address answered than was decided on"), null);
        }
        onConnected(socket);
        callback(null, socket);
      });
    };
    attempt(0);
  };
}

export function isSameAddress(found: string | undefined, wanted: string): boolean {
  if (found === undefined || isIP(found) !== isIP(wanted)) return false;
  return plain(found) === plain(wanted);
}

function plain(address: string): string {
  return new SocketAddress({ address, family: isIP(address) === 4 ? "ipv4" : "ipv6" }).address;
}

function refused(message: string): FemtoError {
  return new FemtoError("FEMTO_FETCH_FAILED", message);
}
