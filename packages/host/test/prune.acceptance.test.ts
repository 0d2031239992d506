/** Pruning a real host's journal: it goes on, starts again, replays, proves and exports, and says what is gone. */

import { join } from "node:path";
import type { ExecutionView } from "@femtoclaw/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Host, Playground, toolCall } from "./playground.ts";

interface Pruned {
  readonly before: number;
  readonly records: number;
  readonly keep: readonly number[];
  readonly pruned: boolean;
}

interface Recomputed {
  readonly verdict: string;
  readonly proved: { readonly snapshot: number };
}

interface Verdict {
  readonly verdict: string;
  readonly fault: { readonly seq: number; readonly reason: string } | null;
}

const place = new Playground();
let host: Host;
let oldest = "";

beforeAll(async () => {
  host = await place.up();
  await using client = await place.agent();
  for (let count = 0; count < 200; count += 1) {
    const message = Buffer.from(JSON.stringify(toolCall("fs_read", { path: "notes.txt" })));
    const { execution_id } = await client.propose(message);
    oldest ||= execution_id;
  }
});

afterAll(async () => {
  await place[Symbol.asyncDispose]();
});

test("what would go is said first, and goes only when that is asked for", async () => {
  const plan = await place.json<Pruned>(["audit", "prune", "--before", "300"]);
  expect(plan).toMatchObject({ code: 0, value: { before: 256, records: 255, keep: [0], pruned: false } });
  expect((await place.run(["audit", "prune", "--before", "300"])).stdout).toContain("nothing was changed");
  expect((await place.run(["executions", "show", oldest])).code).toBe(0);
  for (const [before, code] of [
    ["200", 1],
    ["90d", 1],
    ["soon", 64],
    ["0", 64],
  ] as const) {
    expect((await place.run(["audit", "prune", "--before", before])).code).toBe(code);
  }
  expect((await place.run(["audit", "prove", "40", "--out", join(place.root, "whole")])).code).toBe(0);
  const done = await place.json<Pruned>(["audit", "prune", "--before", "300", "--yes"]);
  expect(done).toMatchObject({ code: 0, value: { before: 256, pruned: true } });
});

test("the running host goes on, and says of what is gone that it was pruned", async () => {
  expect((await place.propose("fs_read", { path: "notes.txt" })).status).toBe("completed");
  const gone = await place.run(["executions", "show", oldest]);
  expect(gone.code).toBe(1);
  expect(gone.stderr).toContain("before record 256 was pruned");
  const list = await place.json<ExecutionView[]>(["executions", "list", "--all"]);
  expect(list.code).toBe(0);
  expect(list.value.length).toBeGreaterThan(50);
  const replayed = await place.run(["replay"]);
  expect({ code: replayed.code, stderr: replayed.stderr }).toEqual({ code: 0, stderr: "" });
  expect(replayed.stdout).toContain("history before was pruned");
  expect((await place.run(["replay", "--to", "100"])).code).toBe(3);
  expect((await place.run(["replay", "diff", "100", "300"])).code).toBe(3);
  const fork = await place.run(["fork", "100", "--out", join(place.root, "forked")]);
  expect(fork).toMatchObject({ code: 3, stderr: expect.stringContaining("FEMTO_JOURNAL_PRUNED") });
});

test("what is gone can still be proved from a copy, and the rest verifies as what it is", async () => {
  const proof = join(place.root, "proof");
  const proved = await place.run(["audit", "prove", "40", "--out", proof]);
  expect(proved).toMatchObject({ code: 0 });
  expect(proved.stdout).toContain("pruned here");
  const { value } = await place.json<{ vkey: string }>(["keys", "show"]);
  const key = place.write("log.vkey", value.vkey);
  const check = ["audit", "check-proof", proof, "--record", join(place.root, "whole.record"), "--key", key];
  expect((await place.run(check)).code).toBe(0);
  const live = await place.json<Verdict>(["audit", "verify"]);
  expect(live).toMatchObject({ code: 3, value: { verdict: "incomplete" } });
  expect(live.value.fault?.reason).toContain("history pruned");
  const out = join(place.root, "events");
  expect((await place.run(["audit", "export", "--format", "ocsf", "--out", out])).code).toBe(0);
});

test("it starts again after a kill, and the stopped journal verifies, replays and exports", async () => {
  host.kill("SIGKILL");
  await host.ended;
  host = await place.up();
  expect((await place.propose("fs_read", { path: "notes.txt" })).status).toBe("completed");
  host.kill("SIGTERM");
  expect(await host.ended).toBe(0);
  const stopped = await place.json<Verdict>(["audit", "verify"]);
  expect(stopped).toMatchObject({ code: 3, value: { verdict: "incomplete" } });
  expect((await place.run(["replay"])).code).toBe(0);
  const recomputed = await place.json<Recomputed>(["replay", "--recompute"]);
  expect(recomputed).toMatchObject({ code: 3, value: { verdict: "recomputed", log: { verdict: "incomplete" } } });
  const { snapshot } = recomputed.value.proved;
  const from = await place.run(["replay", "--from", String(snapshot)]);
  expect({ code: from.code, stdout: from.stdout }).toEqual({
    code: 3,
    stdout: expect.stringContaining("the records before the snapshot are not here"),
  });
  const early = await place.run(["replay", "--from", "10"]);
  expect(early).toMatchObject({ code: 3, stdout: expect.stringContaining("snapshot after record 10 is missing") });
  const oldestOne = await place.run(["snapshots", "verify", String(snapshot)]);
  expect(oldestOne).toMatchObject({ code: 3, stderr: expect.stringContaining("FEMTO_JOURNAL_PRUNED") });
  const newest = (await place.json<number[]>(["snapshots", "list"])).value.at(-1);
  expect(newest).toBeGreaterThan(snapshot);
  expect((await place.run(["snapshots", "verify", String(newest)])).code).toBe(0);
  const out = join(place.root, "tiles");
  expect((await place.run(["audit", "export", "--format", "tiles", "--out", out])).code).toBe(0);
  expect(await place.json<Verdict>(["audit", "verify", out])).toMatchObject({ code: 3 });
  const elsewhere = await place.json<Recomputed>(["replay", out, "--recompute"]);
  expect(elsewhere).toMatchObject({ code: 3, value: { verdict: "recomputed" } });
  expect((await place.run(["replay", out])).stdout).toContain("history before was pruned");
  expect((await place.run(["doctor"])).stdout).not.toMatch(/fail +journal/);
});
