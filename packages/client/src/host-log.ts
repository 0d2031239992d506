/** Checks a host's log against what was seen of it before: once for each connection, before anything else. */
import { LogMemory, type MetLog, type RememberedLog } from "@femtoclaw/journal/known-log";
import type { HostConnection } from "./connection.ts";

export { LogMemory, type MetLog, type RememberedLog };

/**
 * What this user's clients have seen of the log at these sockets. If it cannot be stored, the process emits a warning.
 */
export function memoryOf(runtimeDirectory: string): LogMemory {
  const warn = (reason: string): void => process.emitWarning(reason, { code: "FEMTO_LOG_NOT_REMEMBERED" });
  return new LogMemory({ environment: process.env, place: runtimeDirectory, warn });
}

/** Throws FEMTO_LOG_ROLLED_BACK if the host's log does not continue the one that was seen, and FEMTO_HOST_SILENT. */
export function followLogOf(connection: HostConnection, memory: LogMemory, silentMs?: number): Promise<MetLog> {
  return memory.meet((from) => connection.requestSoon("log.follow", from === null ? {} : { from }, silentMs));
}
