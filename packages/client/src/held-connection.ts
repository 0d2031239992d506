/** Opens a connection only to a host whose log continues the one that was seen before. */
import { HostConnection } from "./connection.ts";
import { followLogOf, type LogMemory } from "./host-log.ts";

/**
 * INVARIANT: I7: a host is asked nothing, and proposed nothing, before its log was checked against what was seen of it.
 */
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
