/** What a client needs to remember a log and to hold it to that, without a database. */
export { LogMemory, type LogMemoryOptions, type MetLog, type RememberedLog } from "./log-memory.ts";
