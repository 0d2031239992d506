/** What a client needs to remember a log and to check that log against the memory, without a database. */
export { LogMemory, type LogMemoryOptions, type MetLog, type RememberedLog } from "./log-memory.ts";
