/** Suites that embedders run against their own parts, and what tests leave on a disk, fill it with or start. */
export { type CapabilitySuiteOptions, capabilitySuite } from "./capability-suite.ts";
export { copyState, leaveReserve } from "./disk-reserve.ts";
export {
  type JournalStoreSuiteOptions,
  journalStoreSuite,
  type StorageFault,
  type StoreFixture,
} from "./journal-store-suite.ts";
export { HAS_SMALL_DISK, SmallDisk } from "./small-disk.ts";
export { testedProgram } from "./tested-program.ts";
export { type NumberForm, toolNumber } from "./tool-number.ts";
