/** Every journal that a version froze is verified, replayed, recomputed and continued by this one. */
import { chmodSync, cpSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  copyForVerification,
  LeveldbStore,
  proveSnapshot,
  type ReplayReader,
  StoreReader,
  TilesReader,
  TilesSource,
  verifyDirectory,
  verifyLog,
} from "@femtoclaw/journal";
import { FROZEN_MACHINES, MACHINE_IDENTITIES } from "@femtoclaw/machines";
import { MACHINE_OF, VERSION } from "@femtoclaw/protocol";
import { createRuntime, recompute, replay, resolveConfiguration, stateDifferences } from "@femtoclaw/runtime";
import { describe, expect, it, onTestFinished } from "vitest";

const GOLDEN = join(import.meta.dirname, "../golden");
const VERSIONS = readdirSync(GOLDEN, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);

interface Expected {
  readonly version: string;
  readonly size: number;
  readonly root: string;
  readonly vkey: string;
  readonly snapshotsEqual: number;
  readonly actors: Parameters<typeof stateDifferences>[0];
}

interface Copy {
  readonly root: string;
  readonly log: string;
  readonly state: string;
  readonly expected: Expected;
}

/** A copy to work on: what is frozen is not touched. */
function copyOf(version: string): Copy {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "femtoclaw-golden-")));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  cpSync(join(GOLDEN, version), root, { recursive: true });
  const state = join(root, "state");
  // Modes are not kept in the repository.
  chmodSync(state, 0o700);
  for (const entry of readdirSync(state, { recursive: true, withFileTypes: true })) {
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o700 : 0o600);
  }
  const expected = JSON.parse(readFileSync(join(root, "expected.json"), "utf8")) as Expected;
  return { root, log: join(root, "log"), state, expected };
}

async function withStored<T>(state: string, use: (reader: ReplayReader) => Promise<T>): Promise<T> {
  await using copy = await copyForVerification(join(state, "journal"));
  const store = new LeveldbStore(copy.directory);
  const { size } = await store.open();
  try {
    return await use(new StoreReader(store, size));
  } finally {
    await store.close();
  }
}

async function typesOf(reader: ReplayReader): Promise<Set<string>> {
  const types = new Set<string>();
  for await (const { type } of reader.read(0, reader.size)) types.add(type);
  return types;
}

describe("the version at hand", () => {
  it("is frozen, with records of every type and the machines that it has", async () => {
    // Where this fails, run `npm run freeze`; after a release, raise the version first.
    expect(VERSIONS).toContain(VERSION);
    const reader = await TilesReader.open(join(GOLDEN, VERSION, "log"));
    expect([...(await typesOf(reader))].toSorted()).toEqual(Object.keys(MACHINE_OF).toSorted());
    const { machines } = await recompute(reader);
    const named = machines.map(({ id, version, sha256 }) => ({ id, version, sha256 }));
    for (const identity of Object.values(MACHINE_IDENTITIES)) expect(named).toContainEqual(identity);
  });

  it("has every machine of every version", () => {
    for (const identity of Object.values(MACHINE_IDENTITIES)) {
      expect(FROZEN_MACHINES).toContainEqual(expect.objectContaining(identity));
    }
  });
});

describe.each(VERSIONS)("the golden journal of %s", (version) => {
  it("is verified to its root, exported and stored", async () => {
    const { log, state, expected } = copyOf(version);
    const verified = {
      verdict: "verified",
      pinned: "matches",
      size: expected.size,
      root: expected.root,
      unsignedTail: 0,
    };
    const pinned = expected.vkey;
    expect(await verifyLog({ source: new TilesSource(log), pinned })).toMatchObject(verified);
    expect(await verifyDirectory(join(state, "journal"), { pinned })).toMatchObject(verified);
  });

  it("is recomputed to the states of then, from the first record and from its proved snapshot", async () => {
    const { log, state, expected } = copyOf(version);
    const whole = { verdict: "recomputed", records: expected.size, snapshotsEqual: expected.snapshotsEqual };
    const exported = await TilesReader.open(log);
    const found = await recompute(exported);
    expect(found).toMatchObject(whole);
    expect(stateDifferences(found.actors, expected.actors)).toEqual([]);
    const stored = await withStored(state, async (reader) => {
      // Every stored snapshot is one to start from.
      for (const seq of await reader.snapshots()) {
        const from = await reader.snapshotAt(seq);
        const later = from === null ? null : await recompute(reader, { from });
        expect(stateDifferences(later?.actors ?? {}, expected.actors), `from ${seq}`).toEqual([]);
      }
      return await recompute(reader);
    });
    expect(stored).toMatchObject(whole);
    const [seq = -1] = await exported.snapshots();
    const vkey = (await verifyLog({ source: new TilesSource(log) })).keys.at(-1)?.vkey ?? "";
    expect(await proveSnapshot(exported, seq, vkey)).toMatchObject({ ok: true, size: expected.size });
  });

  it("is replayed by the machines of today", async () => {
    const { log, expected } = copyOf(version);
    const { projection } = await replay(await TilesReader.open(log));
    expect(projection.size).toBe(expected.size);
  });

  it("is continued: a copy begins a log of its own, which names the frozen one and goes on from its state", async () => {
    const { root, state, expected } = copyOf(version);
    const configuration = resolveConfiguration({
      configuration: { memory: { path: "state" }, host: { runtime_dir: "run" } },
      baseDirectory: root,
      environment: { HOME: root },
    });
    const runtime = await createRuntime({ configuration });
    const session = runtime.openSession({ channel: "library" });
    const reply = await session.propose({ message: { content: "still here" } });
    expect(reply).toMatchObject({ status: "completed" });
    await runtime.close();
    const verdict = await verifyDirectory(join(state, "journal"));
    expect(verdict).toMatchObject({ verdict: "verified", unsignedTail: 0 });
    const { verdict: found, parent } = await withStored(state, async (reader) => {
      const whole = await recompute(reader);
      return { ...whole, parent: (whole.actors["host"]?.state as { parent?: unknown } | undefined)?.parent };
    });
    expect(found).toBe("recomputed");
    expect(parent).toMatchObject({ origin: expected.vkey.split("+")[0], size: expected.size });
  });
});
