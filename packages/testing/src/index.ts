/** Suites that embedders run against their own parts, and disks that can be filled. */
export { type CapabilitySuiteOptions, capabilitySuite } from "./capability-suite.ts";
export {
  type JournalStoreSuiteOptions,
  journalStoreSuite,
  type StorageFault,
  type StoreFixture,
} from "./journal-store-suite.ts";
export { HAS_SMALL_DISK, SmallDisk } from "./small-disk.ts";
