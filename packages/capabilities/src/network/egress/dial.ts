/** Connects to one of the addresses that were decided on, and to nothing else. */
import { isIP, type Socket, connect as tcpConnect } from "node:net";
import { FemtoError, systemErrorCode } from "@femtoclaw/protocol";
import type { BoundConnection } from "../../facts/connection.ts";
import { CONNECT_MS, isSameAddress } from "../pinned-connector.ts";

/** Tries one after the other. Throws a fault that says why none of them took the connection, or the signal's reason. */
export async function dial({ addresses, port }: BoundConnection, signal: AbortSignal): Promise<Socket> {
  let refusal = "no address was decided on";
  for (const address of addresses) {
    signal.throwIfAborted();
    try {
      return await dialOne(address, port, signal);
    } catch (error) {
      refusal = systemErrorCode(error) ?? (error instanceof FemtoError ? error.message : "unknown cause");
    }
  }
  signal.throwIfAborted();
  throw new FemtoError("FEMTO_FETCH_FAILED", `nothing took the connection (${refusal})`);
}

async function dialOne(address: string, port: number, signal: AbortSignal): Promise<Socket> {
  // INVARIANT: what is dialled stands for itself; a name would be looked up anew, by nobody who was asked.
  if (isIP(address) === 0) throw new FemtoError("FEMTO_FETCH_FAILED", "a name was to be dialled");
  const socket = tcpConnect({ host: address, port, autoSelectFamily: false, allowHalfOpen: true, noDelay: true });
  const outcome = Promise.withResolvers<void>();
  const late = setTimeout(() => outcome.reject(new FemtoError("FEMTO_FETCH_FAILED", "it took too long")), CONNECT_MS);
  const stop = (): void => outcome.reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  socket.once("connect", () => outcome.resolve());
  socket.on("error", (error) => outcome.reject(error));
  try {
    await outcome.promise;
    // INVARIANT: the address that answered is the one that was decided on.
    if (!isSameAddress(socket.remoteAddress, address)) {
      throw new FemtoError("FEMTO_FETCH_FAILED", "another address answered than was decided on");
    }
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(late);
    signal.removeEventListener("abort", stop);
  }
}
