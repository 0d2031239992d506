/**
 * Connects to the addresses that were decided on and to nothing else. Node looks names up anew, and asks nobody about
 * an address that stands for itself, so no name ever gets as far as a socket here.
 */
import { isIP, type Socket, SocketAddress, connect as tcpConnect } from "node:net";
import type { connect as tlsConnect } from "node:tls";
import { FemtoError } from "@femtoclaw/protocol";
import type { buildConnector } from "undici";
import type { BoundHost } from "../facts/bound-arguments.ts";
import type { BoundConnection } from "../facts/connection.ts";

/** LIMIT: time of one address to take the connection, TLS included; the next one is tried after it. */
const CONNECT_MS = 10_000;

/** Milliseconds of silence after which the kernel asks whether the other end is still there. */
const SILENCE_MS = 60_000;

/** How the client of HTTP gets the connection of its request. */
export function pinnedConnector(
  encrypt: typeof tlsConnect,
  bound: BoundHost,
  signal: AbortSignal,
  onConnected: (socket: Socket) => void,
): buildConnector.connector {
  const { scheme, host } = bound;
  const servername = isIP(host.replace(/^\[|\]$/g, "")) === 0 ? { servername: host } : {};
  // INVARIANT: certificates are verified, whatever the variables of the host say.
  const verified = { ...servername, ALPNProtocols: ["http/1.1"], rejectUnauthorized: true };
  const way: Way =
    scheme === "https"
      ? { event: "secureConnect", begin: (place) => encrypt({ ...place, ...verified }) }
      : { event: "connect", begin: tcpConnect };
  return (_, callback) => {
    pinnedConnection(bound, signal, way).then(
      (socket) => {
        onConnected(socket);
        callback(null, socket);
      },
      (error: Error) => callback(error, null),
    );
  };
}

/** Begins a connection, and the event by which the socket says that it stands. */
export interface Way {
  readonly event: "connect" | "secureConnect";
  begin(place: { readonly host: string; readonly port: number; readonly autoSelectFamily: false }): Socket;
}

/** Tries one address after the other. Throws why the last of them did not take the connection, or the signal's reason. */
export async function pinnedConnection(
  { addresses, port }: Pick<BoundConnection, "addresses" | "port">,
  signal: AbortSignal,
  way: Way,
): Promise<Socket> {
  let refusal: unknown = refused("no address was decided on");
  for (const address of addresses) {
    signal.throwIfAborted();
    try {
      return await connectionTo(address, port, signal, way);
    } catch (error) {
      refusal = error;
    }
  }
  signal.throwIfAborted();
  throw refusal;
}

async function connectionTo(address: string, port: number, signal: AbortSignal, way: Way): Promise<Socket> {
  // INVARIANT: what is dialled stands for itself; a name would be looked up anew, by nobody who was asked.
  if (isIP(address) === 0) throw refused("a name was to be dialled");
  const socket = way.begin({ host: address, port, autoSelectFamily: false });
  socket.setNoDelay(true).setKeepAlive(true, SILENCE_MS);
  const outcome = Promise.withResolvers<void>();
  const late = setTimeout(() => outcome.reject(refused("it took too long to connect")), CONNECT_MS);
  const stop = (): void => outcome.reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  socket.once(way.event, () => outcome.resolve());
  socket.on("error", (error) => outcome.reject(error));
  try {
    await outcome.promise;
    // INVARIANT: the address that answered is the one that was decided on.
    if (!isSameAddress(socket.remoteAddress, address)) throw refused("another address answered than was decided on");
    return socket;
  } catch (error) {
    // INVARIANT: I9: nothing of a call that nobody wants any more goes on connecting.
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(late);
    signal.removeEventListener("abort", stop);
  }
}

function isSameAddress(found: string | undefined, wanted: string): boolean {
  if (found === undefined || isIP(found) !== isIP(wanted)) return false;
  return plain(found) === plain(wanted);
}

function plain(address: string): string {
  return new SocketAddress({ address, family: isIP(address) === 4 ? "ipv4" : "ipv6" }).address;
}

function refused(message: string): FemtoError {
  return new FemtoError("FEMTO_FETCH_FAILED", message);
}
