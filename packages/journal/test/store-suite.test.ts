import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LeveldbStore, MemoryDisk, MemoryStore } from "@femtoclaw/journal";
import { journalStoreSuite } from "@femtoclaw/testing";
import { describe, it } from "vitest";

journalStoreSuite({
  name: "memory",
  create: async () => {
    const disk = new MemoryDisk();
    return { store: () => new MemoryStore(disk), dispose: async () => undefined };
  },
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
