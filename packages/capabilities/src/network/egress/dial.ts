/** Connects a tunnel to one of the addresses that were decided on. */
import { type Socket, connect as tcpConnect } from "node:net";
import { FemtoError, systemErrorCode } from "@femtoclaw/protocol";
import type { BoundConnection } from "../../facts/connection.ts";
import { pinnedConnection, type Way } from "../pinned-connector.ts";

/** Either end of a tunnel may say that it has said everything, and go on listening. */
const TUNNEL: Way = { event: "connect", begin: (place) => tcpConnect({ ...place, allowHalfOpen: true }) };

/** Throws a fault that says why nobody took the connection, or the signal's reason. */
export async function dial(bound: BoundConnection, signal: AbortSignal): Promise<Socket> {
  try {
    return await pinnedConnection(bound, signal, TUNNEL);
  } catch (error) {
    signal.throwIfAborted();
    const why = systemErrorCode(error) ?? (error instanceof FemtoError ? error.message : "unknown cause");
    throw new FemtoError("FEMTO_FETCH_FAILED", `nothing took the connection (${why})`);
  }
}
