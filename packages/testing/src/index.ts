/** Suites that FemtoClaw ships for those who build parts of it anew. */
export { type JournalStoreSuiteOptions, journalStoreSuite, type StoreFixture } from "./journal-store-suite.ts";
