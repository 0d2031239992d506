import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LeveldbStore, ReopeningStore, systemClock } from "@femtoclaw/journal";
import { journalStoreSuite, type StorageFault } from "@femtoclaw/testing";
import { MemoryDisk, MemoryStore } from "@femtoclaw/testing/in-memory";
import { describe, it } from "vitest";

/** The faults of a disk in memory, by the names that the suite gives them. */
function injectInto(disk: MemoryDisk): (fault: StorageFault) => () => void {
  return (fault) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    disk.faults.push(fault === "slow" ? { kind: fault, until: promise } : { kind: fault });
    return () => {
      disk.opened = fault === "lock" ? false : disk.opened;
      resolve();
    };
  };
}

journalStoreSuite({
  name: "memory",
  create: async () => {
    const disk = new MemoryDisk();
    return { store: () => new MemoryStore(disk), inject: injectInto(disk), dispose: async () => undefined };
  },
  faults: ["EIO", "ENOSPC", "unanswered", "lock", "slow"],
  describe,
  it,
});

journalStoreSuite({
  name: "leveldb",
  create: async () => {
    const directory = await mkdtemp(join(tmpdir(), "femtoclaw-store-"));
    return {
      store: () => new LeveldbStore(directory),
      dispose: () => rm(directory, { recursive: true }),
    };
  },
  describe,
  it,
});

journalStoreSuite({
  name: "one that opens its storage again after a failed write",
  create: async () => {
    const disk = new MemoryDisk();
    const options = { create: () => new MemoryStore(disk), clock: systemClock(), onFull: async () => undefined };
    return {
      store: () => new ReopeningStore(options),
      inject: injectInto(disk),
      dispose: async () => undefined,
    };
  },
  faults: ["lock", "slow"],
  describe,
  it,
});
