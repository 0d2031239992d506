/** The audit commands on a real host and on what it leaves: proofs and exports hold without it, damage is found. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { copyState } from "@femtoclaw/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Playground } from "./playground.ts";

interface Verdict {
  readonly verdict: string;
  readonly size: number;
  readonly signedSize: number;
  readonly unsignedTail: number;
  readonly pinned: string;
  readonly fault: { readonly seq: number | null; readonly reason: string } | null;
}

interface Keys {
  readonly origin: string;
  readonly vkey: string;
  readonly keys: readonly { readonly vkey: string; readonly retired_at_size: number | null }[];
}

const place = new Playground();
let keyFile = "";

beforeAll(async () => {
  const host = await place.up();
  for (let count = 0; count < 5; count += 1) await place.propose("fs_read", { path: "notes.txt" });
  const { value } = await place.json<Keys>(["keys", "show"]);
  keyFile = place.write("log.vkey", `${value.vkey}\n`);
  expect(value.vkey.startsWith(`${value.origin}+`)).toBe(true);
  expect(value.keys).toHaveLength(1);
  // While the host runs, verify reads what the host hands out, and proves as much.
  expect((await place.json<Verdict>(["audit", "verify"])).code).toBe(0);
  const { code } = await place.run(["audit", "prove", "12", "--out", join(place.root, "proof")]);
  expect(code).toBe(0);
  expect((await place.run(["audit", "checkpoint"])).stdout).toContain(`${value.origin}\n`);
  writeFileSync(join(place.root, "kept.checkpoint"), (await place.run(["audit", "checkpoint"])).stdout);
  copyState(place.state, join(place.root, "older"));
  await place.propose("fs_read", { path: "notes.txt" });
  host.kill("SIGTERM");
  await host.ended;
});

afterAll(async () => {
  await place[Symbol.asyncDispose]();
});

const verify = (...args: string[]) => place.json<Verdict>(["audit", "verify", ...args]);

test("a stopped journal verifies to its end against what was remembered of it", async () => {
  const { code, value } = await verify();
  expect({ code, ...value }).toMatchObject({
    code: 0,
    verdict: "verified",
    pinned: "matches",
    unsignedTail: 0,
    fault: null,
  });
});

test("without a known key a log is only found to agree with itself", async () => {
  const elsewhere = { env: { XDG_STATE_HOME: place.folder("nowhere") } };
  const { code, value } = await place.json<Verdict>(["audit", "verify"], elsewhere);
  expect({ code, ...value }).toMatchObject({ code: 3, verdict: "verified", pinned: "absent" });
});

test("a proof needs the record and the key alone, and holds for no other record", async () => {
  const proof = join(place.root, "proof");
  const check = (record: string) => place.run(["audit", "check-proof", proof, "--record", record, "--key", keyFile]);
  expect(await check(`${proof}.record`)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("proved: it is record 12"),
  });
  const forged = place.write("forged", readFileSync(`${proof}.record`, "utf8").replace("notes", "other"));
  expect(await check(forged)).toMatchObject({ code: 1, stdout: expect.stringContaining("not proved") });
});

test.each(["tiles", "jsonl"])(
  "an export as %s is written once, and a tree of tiles verifies by itself",
  async (format) => {
    const out = join(place.root, `export-${format}`);
    expect((await place.run(["audit", "export", "--format", format, "--out", out])).code).toBe(0);
    expect((await place.run(["audit", "export", "--format", format, "--out", out])).code).not.toBe(0);
    if (format === "tiles") expect((await verify(out, "--key", keyFile)).code).toBe(0);
    else expect(readFileSync(out, "utf8").split("\n").length).toBeGreaterThan(12);
  },
);

test("a copy that lost its end is found out by a checkpoint that was kept elsewhere", async () => {
  const older = join(place.root, "older");
  const kept = join(place.root, "kept.checkpoint");
  expect((await verify("--checkpoint", kept)).code).toBe(0);
  const { value } = await verify(older, "--key", keyFile);
  expect(value.verdict).not.toBe("tampered");
  const newer = place.write("newer.checkpoint", (await place.run(["audit", "checkpoint"])).stdout);
  const { code, value: rolledBack } = await verify(older, "--key", keyFile, "--checkpoint", newer);
  expect({ code, verdict: rolledBack.verdict }).toEqual({ code: 1, verdict: "tampered" });
});

test("a state directory whose database is lost is called that, without the root of an empty tree", async () => {
  const lost = join(place.root, "lost");
  copyState(place.state, lost);
  rmSync(join(lost, "journal"), { recursive: true });
  const told = await place.run(["audit", "verify", lost, "--key", keyFile]);
  expect(told).toMatchObject({ code: 3, stdout: expect.stringMatching(/^fault .*lost holds no log:/m) });
  expect(told.stdout).toMatch(/^root +none, [\s\S]*^signed +none$/m);
  const kept = join(place.root, "kept.checkpoint");
  const { code, value } = await verify(lost, "--key", keyFile, "--checkpoint", kept);
  expect({ code, reason: value.fault?.reason }).toEqual({
    code: 1,
    reason: expect.stringMatching(
      /^the checkpoint that was kept elsewhere vouches for \d+ records, and the log holds 0; .*lost holds no log: /,
    ),
  });
});

test("an export that contains nothing to verify is refused as a file, with what to give instead", async () => {
  const lines = join(place.root, "log.jsonl");
  expect((await place.run(["audit", "export", "--format", "jsonl", "--out", lines])).code).toBe(0);
  const told = await place.run(["audit", "verify", lines, "--key", keyFile]);
  expect(told).toMatchObject({ code: 70, stderr: expect.stringContaining("is a file and not a folder") });
  expect(told.stderr).toContain("--format tiles");
});

test("another log in the place of this one is found out by the known key", async () => {
  const other = new Playground();
  try {
    const host = await other.up();
    host.kill("SIGTERM");
    await host.ended;
    const { code, value } = await verify(other.state, "--key", keyFile);
    expect({ code, pinned: value.pinned }).toEqual({ code: 1, pinned: "differs" });
  } finally {
    await other[Symbol.asyncDispose]();
  }
});

test("a log that took the place of another is told of when the host starts, and never remembered instead", async () => {
  const home = new Playground();
  try {
    const first = await home.up();
    first.kill("SIGTERM");
    await first.ended;
    rmSync(home.state, { recursive: true });
    const second = await home.up();
    await expect.poll(() => second.log()).toContain("log.differs");
    second.kill("SIGTERM");
    await second.ended;
    expect((await home.json<Verdict>(["audit", "verify"])).code).toBe(1);
  } finally {
    await home[Symbol.asyncDispose]();
  }
});

test("a long argument stands beside its record, which a running host hands out and verifies like any other", async () => {
  const home = new Playground();
  try {
    const host = await home.up();
    await home.propose("fs_write", { path: "out/long.txt", content: "x".repeat(100_000), mode: "create" });
    expect((await home.run(["audit", "verify"])).code).toBe(0);
    const folder = join(home.root, "tiles");
    expect((await home.run(["audit", "export", "--format", "tiles", "--out", folder])).code).toBe(0);
    // Nobody said which key to expect, so an export alone can only be found to be consistent with itself.
    expect((await home.run(["audit", "verify", folder])).code).toBe(3);
    host.kill("SIGTERM");
    await host.ended;
    expect((await home.run(["audit", "verify"])).code).toBe(0);
  } finally {
    await home[Symbol.asyncDispose]();
  }
});

test("a log that cannot be remembered is told of, and keeps nobody from working", async () => {
  const home = new Playground();
  try {
    // A file in the place of the folder fails for every user, root too.
    mkdirSync(join(home.environment["HOME"] ?? "", ".local/state/femtoclaw"), { recursive: true, mode: 0o700 });
    writeFileSync(join(home.environment["HOME"] ?? "", ".local/state/femtoclaw/known-logs"), "");
    const host = await home.up();
    await expect.poll(() => host.log()).toContain("log.not_remembered");
    expect(await home.propose("fs_read", { path: "notes.txt" })).toMatchObject({ status: "completed" });
    host.kill("SIGTERM");
    expect(await host.ended).toBe(0);
  } finally {
    await home[Symbol.asyncDispose]();
  }
});

test("a flipped byte in a copy of the journal is found", async () => {
  const copy = join(place.root, "copy");
  copyState(place.state, copy);
  const name = readdirSync(join(copy, "journal")).find((file) => /\.(ldb|log)$/.test(file)) ?? "";
  const file = join(copy, "journal", name);
  const bytes = readFileSync(file);
  const at = bytes.indexOf("notes.txt");
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  const { code, value } = await verify(copy, "--key", keyFile);
  expect({ code, verdict: value.verdict }).toEqual({ code: 1, verdict: "tampered" });
  rmSync(copy, { recursive: true });
});

test("snapshots of the stopped journal are listed, shown, exported and equal the fold", async () => {
  const { value: seqs } = await place.json<number[]>(["snapshots", "list"]);
  const seq = String(seqs.at(-1));
  expect((await place.json<{ seq: number }>(["snapshots", "show", seq])).value.seq).toBe(seqs.at(-1));
  expect((await place.run(["snapshots", "verify", seq])).code).toBe(0);
  const file = join(place.root, "snapshot.json");
  expect((await place.run(["snapshots", "export", seq, "--out", file])).code).toBe(0);
  expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ seq: seqs.at(-1) });
  expect((await place.run(["snapshots", "show", "0"])).code).toBe(1);
  expect((await place.run(["snapshots", "show", "first"])).code).toBe(64);
});

test("a rotated key signs on, and both keys are named", async () => {
  const host = await place.up();
  const { value: rotated } = await place.json<{ vkey: string }>(["keys", "rotate"]);
  await place.propose("fs_read", { path: "notes.txt" });
  const { value } = await place.json<Keys>(["keys", "show"]);
  expect(value.vkey).toBe(rotated.vkey);
  expect(value.keys.map(({ retired_at_size }) => retired_at_size === null)).toEqual([false, true]);
  host.kill("SIGTERM");
  await host.ended;
  expect((await verify()).code).toBe(0);
});
