/** An export as a stranger gets it: its snapshot is proved, its tail replayed; and what forgers make of it. */
import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { checkProof, proveSnapshot, type SnapshotProof, TilesReader, TilesSource, verifyLog } from "@femtoclaw/journal";
import type { Snapshot } from "@femtoclaw/protocol";
import { recompute, replay, replayDifference, stateDifferences } from "@femtoclaw/runtime";
import { beforeAll, describe, expect, it } from "vitest";
import { type ExportedLog, exportLog } from "./exported-log.ts";

let log: ExportedLog;

beforeAll(async () => {
  log = await exportLog();
  return () => log.home.remove();
});

/** A copy of the export in which something was changed. */
async function changed(change: (folder: string) => Promise<unknown>): Promise<string> {
  const folder = join(log.home.root, "changed");
  await rm(folder, { recursive: true, force: true });
  await cp(log.folder, folder, { recursive: true });
  await change(folder);
  return folder;
}

async function proofOf(folder: string, seq = log.snapshot, vkey = log.vkey): Promise<SnapshotProof> {
  return await proveSnapshot(await TilesReader.open(folder), seq, vkey);
}

const snapshotFile = (folder: string, seq = log.snapshot): string => join(folder, "snapshots", String(seq));

async function edited(edit: (snapshot: Snapshot) => unknown): Promise<SnapshotProof> {
  const folder = await changed(async (copy) => {
    const snapshot = JSON.parse(await readFile(snapshotFile(copy), "utf8")) as Snapshot;
    await writeFile(snapshotFile(copy), JSON.stringify(edit(snapshot)));
  });
  return await proofOf(folder);
}

/** The same value with the keys of every object in the opposite order. */
function reordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reordered);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([name, inner]) => [name, reordered(inner)] as const);
  return Object.fromEntries(entries.toReversed());
}

describe("an exported snapshot", () => {
  it("is proved by its record, and from there the tail is folded to the same end as the whole", async () => {
    const reader = await TilesReader.open(log.folder);
    expect(reader.size).toBeGreaterThan(1_000);
    const proof = await proofOf(log.folder);
    if (!proof.ok) throw new Error(proof.reason);
    expect(proof).toMatchObject({ ok: true, size: reader.size, snapshot: { seq: log.snapshot } });
    const tail = await recompute(reader, { from: proof.snapshot });
    const whole = await recompute(reader);
    const live = await replay(reader);
    expect(tail).toMatchObject({ verdict: "recomputed", records: reader.size - log.snapshot - 1 });
    expect(whole).toMatchObject({ verdict: "recomputed", records: reader.size });
    expect(live.snapshotsEqual).toBe(1);
    for (const { actors } of [tail, whole]) expect(stateDifferences(actors, live.projection.snapshot())).toEqual([]);
    // Up to the record that has the digests, so that the snapshot is compared with what the head leads to.
    const head = await recompute(reader, { to: log.snapshot + 1 });
    expect(head.verdict).toBe("recomputed");
    expect(stateDifferences(head.actors, proof.snapshot.actors)).toEqual([]);
  });

  it("has its proof beside it, for tools that know nothing of FemtoClaw", async () => {
    const proof = await readFile(`${snapshotFile(log.folder)}.tlog-proof`, "utf8");
    const reader = await TilesReader.open(log.folder);
    const checked: unknown[] = [];
    for await (const { bytes } of reader.readStored(log.snapshot + 1, log.snapshot + 2)) {
      checked.push(checkProof({ proof, recordBytes: bytes, vkey: log.vkey }));
    }
    expect(checked).toMatchObject([{ ok: true, index: log.snapshot + 1 }]);
  });

  it("needs nothing of the records before it", async () => {
    const folder = await changed(async (copy) => {
      for (let bundle = 0; bundle < Math.floor(log.snapshot / 256); bundle += 1) {
        await rm(join(copy, "tile", "entries", String(bundle).padStart(3, "0")));
      }
    });
    expect((await verifyLog({ source: new TilesSource(folder), pinned: log.vkey })).verdict).toBe("incomplete");
    const proof = await proofOf(folder);
    if (!proof.ok) throw new Error(proof.reason);
    const tail = await recompute(await TilesReader.open(folder), { from: proof.snapshot });
    const whole = await recompute(await TilesReader.open(log.folder));
    expect(tail.actors).toEqual(whole.actors);
  });

  it.each<[string, (snapshot: Snapshot) => unknown]>([
    ["a counter that was raised", (snapshot) => withState(snapshot, "executions", { open: {}, counters: {} })],
    ["keys in another order", reordered],
    ["another moment", (snapshot) => ({ ...snapshot, seq: snapshot.seq + 1 })],
    ["another machine version", (snapshot) => withActor(snapshot, "policy", { version: "2" })],
    ["an actor less", ({ actors: { host: _host, ...actors }, ...snapshot }) => ({ ...snapshot, actors })],
    ["an actor called __proto__", (snapshot) => ({ ...snapshot, actors: withProto(snapshot.actors) })],
    ["no schema", (snapshot) => ({ ...snapshot, more: true })],
  ])("with %s is refused", async (_what, edit) => {
    expect(await edited(edit)).toMatchObject({ ok: false, verdict: "tampered" });
    expect(({} as Record<string, unknown>)["machine"]).toBeUndefined();
  });

  it("of a state too large or too deep to be one is refused", async () => {
    const large = await changed((copy) => writeFile(snapshotFile(copy), Buffer.alloc(67_108_865, " ")));
    expect(await proofOf(large)).toMatchObject({ ok: false, verdict: "tampered" });
    const deep = `{"v":1,"seq":${log.snapshot},"actors":{"host":{"machine":"host","version":"1","definition":null,"state":{"a":${"[".repeat(1e6)}${"]".repeat(1e6)}}}}}`;
    const nested = await changed((copy) => writeFile(snapshotFile(copy), deep));
    expect(await proofOf(nested)).toMatchObject({ ok: false, verdict: "tampered" });
    const many = await edited((snapshot) => {
      const open = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`e${index}`, { intent: index }]));
      return withState(snapshot, "executions", { open, counters: {} });
    });
    expect(many).toMatchObject({ ok: false, verdict: "tampered" });
  });

  it("whose record no checkpoint covers is not proved", async () => {
    const folder = join(log.home.root, "uncovered");
    await cp(log.earlier, folder, { recursive: true });
    await cp(snapshotFile(log.folder), snapshotFile(folder));
    expect(await proofOf(folder)).toEqual({
      ok: false,
      verdict: "incomplete",
      reason: `no checkpoint covers record ${log.snapshot + 1}, which has the digests`,
    });
  });

  it("that is not there, or stands at a record of another type, is not proved", async () => {
    expect(await proofOf(log.folder, 3)).toMatchObject({ ok: false, verdict: "incomplete" });
    const moved = await changed((copy) => cp(snapshotFile(copy), snapshotFile(copy, 20)));
    expect(await proofOf(moved, 20)).toMatchObject({
      ok: false,
      verdict: "tampered",
      reason: "record 21 vouches for no snapshot",
    });
  });

  it("is not proved by another key, nor by changed hashes, nor by a changed tail", async () => {
    const [name = "", id = "", key = ""] = log.vkey.split("+");
    for (const vkey of ["", `${name}+${id}`, `${name}+${id}+A${key.slice(1)}x`, log.vkey.replace("+A", "+B")]) {
      expect(await proofOf(log.folder, log.snapshot, vkey)).toMatchObject({ ok: false, verdict: "tampered" });
    }
    const bundle = String(Math.floor((log.snapshot + 1) / 256)).padStart(3, "0");
    const [hashes = ""] = await readdir(join(log.folder, "tile", "1", "000.p"));
    const places = [
      [`tile/entries/${bundle}`, -2],
      [`tile/1/000.p/${hashes}`, 0],
      ["checkpoint", -2],
    ] as const;
    for (const [path, at] of places) {
      const flipped = await changed(async (copy) => {
        const bytes = await readFile(join(copy, path));
        bytes.set([(bytes.at(at) ?? 0) ^ 1], at < 0 ? bytes.length + at : at);
        await writeFile(join(copy, path), bytes);
      });
      expect(await proofOf(flipped), path).toMatchObject({ ok: false, verdict: "tampered" });
    }
    const missing = await changed((copy) => rm(join(copy, "tile", "1"), { recursive: true }));
    expect(await proofOf(missing)).toMatchObject({ ok: false, verdict: "incomplete" });
  });
});

describe("the difference of two moments", () => {
  it("is what the records between them changed, and the other way round the opposite", async () => {
    const reader = await TilesReader.open(log.folder);
    const last = reader.size - 1;
    const there = await replayDifference(reader, 20, last);
    const back = await replayDifference(reader, last, 20);
    expect(there.length).toBeGreaterThan(3);
    // What both added and took away stands in another order the other way round.
    const turned = there.map(({ actor, path, before, after }) => ({ actor, path, before: after, after: before }));
    const inOrder = <T extends { path: string }>(list: T[]) => list.toSorted((a, b) => (a.path < b.path ? -1 : 1));
    expect(inOrder(back)).toEqual(inOrder(turned));
    expect(there).toContainEqual({ actor: "host", path: "/state/boots", before: 1, after: 2 });
    expect(await replayDifference(reader, 20, 20)).toEqual([]);
    await expect(replayDifference(reader, 0, reader.size)).rejects.toMatchObject({ code: "FEMTO_EXECUTION_NOT_FOUND" });
  });

  it("knows names that objects inherit, and what is missing from what is null", () => {
    const states = (text: string) => JSON.parse(text) as Parameters<typeof stateDifferences>[0];
    const proto = states('{"__proto__":{"state":{"constructor":1}}}');
    expect(stateDifferences(proto, states("{}"))).toEqual([
      { actor: "__proto__", path: "", before: { state: { constructor: 1 } } },
    ]);
    expect(
      stateDifferences(states('{"a":{"state":{}}}'), states('{"a":{"state":{"constructor":null,"a/b~":[1]}}}')),
    ).toEqual([
      { actor: "a", path: "/state/constructor", after: null },
      { actor: "a", path: "/state/a~1b~0", after: [1] },
    ]);
    expect(stateDifferences(states('{"a":{"x":[1,2]}}'), states('{"a":{"x":{"0":1,"1":2}}}'))).toHaveLength(1);
  });
});

function withActor(snapshot: Snapshot, name: string, change: object): Snapshot {
  return { ...snapshot, actors: { ...snapshot.actors, [name]: { ...snapshot.actors[name], ...change } } } as Snapshot;
}

function withState(snapshot: Snapshot, name: string, state: object): Snapshot {
  return withActor(snapshot, name, { state });
}

function withProto(actors: Snapshot["actors"]): object {
  return Object.fromEntries([...Object.entries(actors), ["__proto__", actors["host"]]]);
}
