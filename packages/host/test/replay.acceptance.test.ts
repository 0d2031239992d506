/** `replay` as auditors use it: of the running host, of a stopped journal, of an export that somebody handed them. */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { exportTiles, Journal, systemClock } from "@femtoclaw/journal";
import { MACHINE_IDENTITIES } from "@femtoclaw/machines";
import type { ActorSnapshot } from "@femtoclaw/protocol";
import { MemoryDisk, MemoryKeyring, MemoryStore } from "@femtoclaw/testing/in-memory";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Playground } from "./playground.ts";

interface Recomputed {
  readonly verdict: string;
  readonly records: number;
  readonly snapshots_equal: number;
  readonly snapshot_equals_fold?: boolean | null;
  readonly proved?: { readonly snapshot: number; readonly record: number; readonly size: number };
  readonly obstacle: { readonly seq: number; readonly reason: string } | null;
  readonly actors: Readonly<Record<string, ActorSnapshot>>;
  readonly log: { readonly pinned: string };
}

interface Difference {
  readonly differences: readonly { readonly actor: string; readonly path: string }[];
}

describe("replay", () => {
  let place: Playground;
  let exported: string;
  let key: string;
  let snapshot: string;

  const json = (...args: string[]) => place.json<Recomputed>(args);
  /** A copy of the export in which one file was edited. */
  function edited(path: string, edit: (text: string) => string): string {
    const copy = join(place.root, "edited");
    rmSync(copy, { recursive: true, force: true });
    cpSync(exported, copy, { recursive: true });
    const file = join(copy, path);
    writeFileSync(file, edit(readFileSync(file, "latin1")), "latin1");
    return copy;
  }

  beforeAll(async () => {
    place = new Playground();
    await place.up();
    await place.propose("process_exec", { bin: "echo", argv: ["hello"] });
    await place.propose("fs_read", { path: "secrets/token.txt" });
    const message = `${JSON.stringify({ message: { content: "hello" } })}\n`;
    await place.run(["send"], { input: message.repeat(300) });
  });

  afterAll(async () => {
    await place[Symbol.asyncDispose]();
  });

  test("recomputes what the running host has, and shows what is different between two moments", async () => {
    const found = await json("replay", "--recompute");
    expect(found).toMatchObject({ code: 0, value: { verdict: "recomputed", log: { pinned: "matches" } } });
    const { code, value } = await place.json<Difference>(["replay", "diff", "1", "300"]);
    expect(code).toBe(0);
    expect(value.differences).toContainEqual({
      actor: "registry",
      path: "/state/value",
      before: "empty",
      after: "ready",
    });
    const readable = await place.run(["replay", "diff", "1", "300"]);
    expect(readable.stdout).toMatch(/^what changed from record 1 to record 300\n/);
    expect(readable.stdout).toMatch(/^ {2}\/state\/counters\/messages\n {4}- 0\n {4}\+ \d+$/m);
  });

  test("recomputes the stopped journal from its newest snapshot, which equals the fold", async () => {
    await place.down();
    const { value: seqs } = await place.json<number[]>(["snapshots", "list"]);
    snapshot = String(seqs.at(-1));
    const whole = await json("replay", "--recompute");
    expect(whole).toMatchObject({ code: 0, value: { verdict: "recomputed", snapshots_equal: seqs.length } });
    const tail = await json("replay", "--from", snapshot);
    expect(tail).toMatchObject({
      code: 0,
      value: { verdict: "recomputed", snapshot_equals_fold: true, proved: { record: Number(snapshot) + 1 } },
    });
    expect(tail.value.actors).toEqual(whole.value.actors);
    expect((await json("replay", "--to", snapshot)).value.actors).toEqual(whole.value.actors);
    const readable = await place.run(["replay", "--from", snapshot]);
    expect(readable.stdout).toContain("the snapshot equals the fold of the");
    exported = join(place.root, "exported");
    expect((await place.run(["audit", "export", "--format", "tiles", "--out", exported])).code).toBe(0);
    const { value } = await place.json<{ vkey: string }>(["keys", "show"]);
    key = place.write("log.vkey", value.vkey);
  });

  test("reads an export without a database; who has no key is told that nobody vouches for it", async () => {
    expect(readdirSync(join(exported, "snapshots"))).toContain(snapshot);
    const known = await json("replay", exported, "--key", key, "--from", snapshot);
    expect(known).toMatchObject({ code: 0, value: { verdict: "recomputed", snapshot_equals_fold: true } });
    expect(await json("replay", exported, "--key", key)).toMatchObject({ code: 0, value: { snapshots_equal: 1 } });
    expect(await json("replay", "diff", "--key", key, "3", "4", exported)).toMatchObject({ code: 0 });
    const stranger = await json("replay", exported, "--recompute");
    expect(stranger).toMatchObject({ code: 3, value: { verdict: "recomputed", log: { pinned: "absent" } } });
    const copy = join(place.root, "copy");
    cpSync(join(place.state, "journal"), copy, { recursive: true });
    expect(await json("replay", copy, "--key", key, "--recompute")).toMatchObject({
      code: 0,
      value: { verdict: "recomputed" },
    });
  });

  test("goes on from the snapshot where the records before it are gone", async () => {
    const copy = edited("checkpoint", (text) => text);
    rmSync(join(copy, "tile", "entries", "000"));
    expect(await json("replay", copy, "--key", key, "--recompute")).toMatchObject({
      code: 3,
      value: { verdict: "incomplete" },
    });
    const tail = await json("replay", copy, "--key", key, "--from", snapshot);
    expect(tail).toMatchObject({ code: 3, value: { verdict: "recomputed", snapshot_equals_fold: null } });
    expect(tail.value.actors).toEqual((await json("replay", exported, "--key", key)).value.actors);
    const unknown = await json("replay", copy, "--from", snapshot);
    expect(unknown).toMatchObject({ code: 3, value: { verdict: "incomplete" } });
  });

  test("folds nothing that was tampered with, and starts from no snapshot that is not proved", async () => {
    const record = edited("tile/entries/000", (text) => text.replace('"denied"', '"halted"'));
    for (const more of [["--recompute"], ["--from", snapshot], []]) {
      const found = await json("replay", record, "--key", key, ...more);
      expect(found).toMatchObject({ code: 1, value: { verdict: "tampered" } });
    }
    expect((await place.run(["replay", "diff", "1", "2", record, "--key", key])).code).toBe(1);
    const state = edited(`snapshots/${snapshot}`, (text) => text.replace('"messages":', '"messages":1'));
    expect(await json("replay", state, "--key", key, "--from", snapshot)).toMatchObject({
      code: 1,
      value: { verdict: "tampered" },
    });
    expect(await json("replay", exported, "--key", key, "--from", "3")).toMatchObject({
      code: 3,
      value: { verdict: "incomplete" },
    });
    const other = place.write("other.vkey", readFileSync(key, "utf8").replace("+A", "+B"));
    expect((await json("replay", exported, "--key", other, "--recompute")).code).toBe(1);
  });

  test("says nothing of a later format", async () => {
    const later = edited("tile/entries/000", (text) => text.replaceAll('{"v":1,"seq":40,', '{"v":2,"seq":40,'));
    const found = await json("replay", later, "--key", key, "--recompute");
    expect(found).toMatchObject({ code: 3, value: { verdict: "unverifiable" } });
  });
});

describe("a log that names a machine which is not here", () => {
  test("is neither confirmed nor convicted", async () => {
    await using place = new Playground();
    const folder = join(place.root, "log");
    const machines = { ...MACHINE_IDENTITIES, execution: { ...MACHINE_IDENTITIES.execution, version: "9" } };
    const parts = {
      store: new MemoryStore(new MemoryDisk()),
      keyring: new MemoryKeyring(),
      boot: "b",
      clock: systemClock(),
      machines,
    };
    const journal = await Journal.open(parts);
    await journal.append({ type: "message.recorded", session: "s", execution: "e", body: { content: "hello" } });
    await journal.checkpoint();
    await exportTiles(journal, folder);
    const found = await place.json<Recomputed>(["replay", folder, "--recompute"]);
    expect(found).toMatchObject({ code: 3, value: { verdict: "not-recomputable", records: 1, obstacle: { seq: 1 } } });
    const readable = await place.run(["replay", folder, "--recompute"]);
    expect(readable.stdout).toContain("from record 1 on nothing is said: the machine execution version 9");
  });
});
