/** Forks and copies from outside: two logs, each right by itself, the new one naming the old; nothing is run by either. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ExecutionView, Reply } from "@femtoclaw/protocol";
import type { RuntimeStatus } from "@femtoclaw/runtime";
import { copyState } from "@femtoclaw/testing";
import { expect, test } from "vitest";
import { Playground } from "./playground.ts";

interface Verdict {
  readonly verdict: string;
  readonly size: number;
  readonly root: string;
  readonly pinned: string;
}

interface Keys {
  readonly origin: string;
  readonly vkey: string;
  readonly parent: { readonly origin: string; readonly size: number; readonly root: string; readonly reason: string };
}

interface Fork {
  readonly out: string;
  readonly origin: string;
  readonly vkey: string;
  readonly parent: Keys["parent"];
  readonly unresolved: number;
}

const leave = (line: string) => ({ bin: "tee", argv: ["-a", "out/effects.txt"], stdin: `${line}\n` });
const effects = (place: Playground): string => readFileSync(join(place.project, "out/effects.txt"), "utf8");
const seqOf = (reply: Reply): number => reply.record?.seq ?? Number.NaN;

function digestsOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => {
    return statSync(join(folder, name)).isFile();
  });
  return Object.fromEntries(
    files.map((name) => [
      name,
      createHash("sha256")
        .update(readFileSync(join(folder, name)))
        .digest("hex"),
    ]),
  );
}

test("a running host's log is forked; both logs verify, and the fork runs nothing by itself", async () => {
  await using place = new Playground();
  const killed = await place.up();
  const lost = Promise.allSettled([place.propose("process_exec", { bin: "sleep", argv: ["60"] })]);
  await place.untilRunning();
  killed.kill("SIGKILL");
  await lost;
  await killed.ended;
  await place.up();
  await place.propose("process_exec", leave("before"));
  expect((await place.run(["capabilities", "disable", "fs_read"])).code).toBe(0);
  const at = seqOf(await place.propose("process_exec", leave("here")));
  await place.propose("process_exec", leave("after"));
  const done = effects(place);

  const out = join(place.root, "forked");
  const { code, value } = await place.json<Fork>(["fork", String(at), "--out", out]);
  expect({ code, ...value }).toMatchObject({ code: 0, out, unresolved: 1, parent: { size: at + 1, reason: "fork" } });
  const { value: old } = await place.json<Keys>(["keys", "show"]);
  expect(value.parent.origin).toBe(old.origin);
  expect(value.origin).not.toBe(old.origin);
  // The original goes on as if nothing were.
  expect(await place.propose("process_exec", leave("later"))).toMatchObject({ status: "completed" });
  await place.down();

  const key = join(place.root, "old.vkey");
  writeFileSync(key, old.vkey);
  for (const args of [[place.state], [out], [join(out, "epochs/1"), "--key", key]]) {
    const verified = await place.json<Verdict>(["audit", "verify", ...args]);
    expect({ args, code: verified.code, ...verified.value }).toMatchObject({ code: 0, pinned: "matches" });
  }
  expect((await place.json<Verdict>(["audit", "verify", join(out, "epochs/1")])).value.size).toBeGreaterThan(at);
  const { value: named } = await place.json<Keys>(["--state", out, "keys", "show"]);
  expect(named).toMatchObject({ origin: value.origin, parent: value.parent });
  // The state that the fork begins with is what the old log folds to.
  const state = JSON.parse(readFileSync(join(out, "epochs/1/state.json"), "utf8")) as { actors: unknown };
  const { value: folded } = await place.json<{ actors: unknown }>(["replay", "--to", String(at)]);
  expect(state.actors).toEqual(folded.actors);

  const expected = `${done}later\n`;
  const host = await place.up(["--state", out]);
  // The sockets were those of the other log; that they are another's now is meant.
  expect((await place.run(["--state", out, "audit", "forget"])).code).toBe(0);
  const { value: status } = await place.json<RuntimeStatus>(["--state", out, "status"]);
  expect(status).toMatchObject({ log: value.origin, parent: value.parent, unresolved: 1, boots: 1, phase: "idle" });
  expect((await place.run(["status"])).stdout).toContain(`continues ${at + 1} records of ${old.origin} (fork)`);
  expect(effects(place)).toBe(expected);
  // What an operator had forbidden stays forbidden.
  expect(await place.propose("fs_read", { path: "notes.txt" })).toMatchObject({
    error: { code: "FEMTO_CAPABILITY_DISABLED" },
  });
  const [open] = (await place.json<ExecutionView[]>(["--state", out, "executions", "list", "--state", "interrupted"]))
    .value;
  expect(open).toMatchObject({ tool: "process_exec", status: "interrupted" });
  const id = open?.execution_id ?? "";
  expect(
    (await place.run(["--state", out, "executions", "resolve", id, "--not-done", "--reason", "it slept"])).code,
  ).toBe(0);
  expect(await place.propose("process_exec", leave("forked"))).toMatchObject({ status: "completed" });
  host.kill("SIGTERM");
  expect(await host.ended).toBe(0);
  expect(effects(place)).toBe(`${expected}forked\n`);
  // Restart, replay, snapshots and verification work in the fork as in any log.
  const again = await place.up(["--state", out]);
  expect((await place.json<RuntimeStatus>(["status"])).value).toMatchObject({ unresolved: 0, boots: 2 });
  again.kill("SIGTERM");
  await again.ended;
  expect((await place.run(["--state", out, "replay"])).code).toBe(0);
  const { value: snapshots } = await place.json<number[]>(["--state", out, "snapshots", "list"]);
  expect((await place.run(["--state", out, "snapshots", "verify", String(snapshots.at(-1))])).code).toBe(0);
  expect((await place.json<Verdict>(["audit", "verify", out])).code).toBe(0);
});

test("a stopped host's log is forked, also a fork of it", async () => {
  await using place = new Playground();
  await place.up();
  const at = seqOf(await place.propose("fs_read", { path: "notes.txt" }));
  await place.down();
  const before = digestsOf(join(place.state, "keys"));
  const [first, second] = [join(place.root, "one"), join(place.root, "two")];
  mkdirSync(first, { mode: 0o777 });
  const { value: one } = await place.json<Fork>(["fork", String(at), "--out", first]);
  expect(statSync(first).mode & 0o777).toBe(0o700);
  expect((await place.json<Verdict>(["audit", "verify", first])).code).toBe(0);
  const { code, value: two } = await place.json<Fork>(["--state", first, "fork", "0", "--out", second]);
  expect({ code, parent: two.parent.origin }).toEqual({ code: 0, parent: one.origin });
  expect((await place.json<Verdict>(["audit", "verify", second])).code).toBe(0);
  expect(digestsOf(join(place.state, "keys"))).toEqual(before);
  for (const beyond of ["999999", "9007199254740991"]) {
    const refused = await place.run(["fork", beyond, "--out", join(place.root, "three")]);
    expect(refused.code).toBe(70);
    expect(refused.stderr).toMatch(
      /FEMTO_FORK_REFUSED: .*\n {2}fix: Name the last record that the fork should contain/,
    );
  }
  expect(readdirSync(place.root).filter((name) => name.includes("three"))).toEqual([]);
});

test("a copy goes on in a log of its own beside the original, which goes on in its own", async () => {
  await using place = new Playground();
  await place.up();
  await place.propose("process_exec", leave("once"));
  const copy = join(place.root, "copy");
  await place.down();
  copyState(place.state, copy, { preserveTimestamps: true });
  const { value: original } = await place.json<Keys>(["keys", "show"]);
  const copied = digestsOf(join(copy, "journal"));
  const { value: whole } = await place.json<Verdict>(["audit", "verify", copy]);

  const call = ["call", "--embedded", "fs_read", '{"path":"notes.txt"}'];
  expect((await place.json<Reply>(["--state", copy, ...call])).value.status).toBe("completed");
  const { value: named } = await place.json<Keys>(["--state", copy, "keys", "show"]);
  expect(named.parent).toEqual({
    origin: original.origin,
    vkey: original.vkey,
    size: whole.size,
    root: whole.root,
    reason: "copy",
  });
  expect(named.origin).not.toBe(original.origin);
  // The old log stands beside it, to the byte, and its key is gone from here.
  expect(digestsOf(join(copy, "epochs/1/journal"))).toEqual(copied);
  expect(readdirSync(join(copy, "epochs/1/keys"))).toEqual([]);
  const { code, value } = await place.json<Verdict>(["audit", "verify", join(copy, "epochs/1")]);
  expect({ code, root: value.root }).toEqual({ code: 3, root: whole.root });
  expect((await place.run(["audit", "verify", copy])).code).toBe(0);
  // A second start goes on, and so does the original.
  for (const state of [copy, place.state]) {
    expect((await place.json<Reply>(["--state", state, ...call])).value.status).toBe("completed");
    expect((await place.run(["audit", "verify", state])).code).toBe(0);
  }
  expect(existsSync(join(copy, "epochs/2"))).toBe(false);
  expect(existsSync(join(place.state, "epochs"))).toBe(false);
  expect((await place.json<Keys>(["keys", "show"])).value.origin).toBe(original.origin);
  expect(effects(place)).toBe("once\n");
});

test("a state directory that was moved by copying it goes on in a new epoch, and what is remembered follows", async () => {
  await using place = new Playground();
  await place.up();
  await place.propose("process_exec", leave("once"));
  await place.down();
  const moved = join(place.root, "moved");
  copyState(place.state, moved);
  rmSync(place.state, { recursive: true });
  renameSync(moved, place.state);

  const host = await place.up();
  expect(host.log()).toContain('"event":"epoch.opened"');
  expect((await place.run(["call", "fs_read", '{"path":"notes.txt"}'])).code).toBe(0);
  host.kill("SIGTERM");
  await host.ended;
  expect(host.log()).not.toContain("log.differs");
  for (const path of [place.state, join(place.state, "epochs/1")]) {
    const { code, value } = await place.json<Verdict>(["audit", "verify", path]);
    expect({ path, code, pinned: value.pinned }).toEqual({ path, code: 0, pinned: "matches" });
  }
});

test("a backup that was put back goes on in a new epoch, and is told of until its owner says that it is meant", async () => {
  await using place = new Playground();
  await place.up();
  await place.down();
  const [backup, newer] = [join(place.root, "backup"), join(place.root, "newer")];
  copyState(place.state, backup, { preserveTimestamps: true });
  const { value: original } = await place.json<Keys>(["keys", "show"]);
  await place.up();
  await place.propose("fs_read", { path: "notes.txt" });
  await place.down();
  renameSync(place.state, newer);
  renameSync(backup, place.state);

  const host = await place.up();
  expect(host.log()).toContain('"event":"epoch.opened"');
  await expect.poll(() => host.log()).toContain("log.differs");
  const call = ["call", "fs_read", '{"path":"notes.txt"}'];
  expect(await place.run(call)).toMatchObject({ code: 1, stderr: expect.stringContaining("FEMTO_LOG_ROLLED_BACK") });
  expect((await place.run(["audit", "verify"])).code).toBe(1);
  expect((await place.run(["audit", "forget"])).code).toBe(0);
  expect((await place.run(call)).code).toBe(0);
  host.kill("SIGTERM");
  await host.ended;
  const { value: named } = await place.json<Keys>(["keys", "show"]);
  expect(named.parent).toMatchObject({ origin: original.origin, reason: "copy" });
  expect((await place.run(["audit", "verify", place.state])).code).toBe(0);
});
