/** A connection to a host whose log was found to be the one that was seen. */
import { HostConnection } from "./connection.ts";
import { followLogOf, type LogMemory } from "./host-log.ts";

/** INVARIANT: I7: nothing is asked of a host, and nothing proposed to it, before its log is found to be the one that was seen. */
export async function openHeld(path: string, memory: LogMemory, silentMs?: number): Promise<HostConnection> {
  const connection = await HostConnection.open(path);
  try {
    await followLogOf(connection, memory, silentMs);
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  }
}
