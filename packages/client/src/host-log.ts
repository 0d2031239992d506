/** Holds the log of a host to what was seen of it before: asked once on each connection, before anything else. */
import { LogMemory, type MetLog, type RememberedLog } from "@femtoclaw/journal/known-log";
import type { HostConnection } from "./connection.ts";

export { LogMemory, type MetLog, type RememberedLog };

/** What this user's clients have seen at these sockets. What cannot be kept is told of as a warning of the process. */
export function memoryOf(runtimeDirectory: string): LogMemory {
  const warn = (reason: string): void => process.emitWarning(reason, { code: "FEMTO_LOG_NOT_REMEMBERED" });
  return new LogMemory({ environment: process.env, place: runtimeDirectory, warn });
}

/** Throws FEMTO_LOG_ROLLED_BACK when the host's log does not go on from what was seen, and FEMTO_HOST_SILENT. */
export function followLogOf(connection: HostConnection, memory: LogMemory, silentMs?: number): Promise<MetLog> {
  return memory.meet((from) => connection.requestSoon("log.follow", from === null ? {} : { from }, silentMs));
}
