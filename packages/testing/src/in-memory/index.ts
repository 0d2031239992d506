/** What a journal needs, without a disk: for tests and simulations, also for programs that load none of the suites. */
export { MemoryKeyring } from "./memory-keyring.ts";
export { MemoryDisk, MemoryStore, type StoreFault } from "./memory-store.ts";
