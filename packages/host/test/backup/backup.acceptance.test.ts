import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HAS_SMALL_DISK, SmallDisk } from "@femtoclaw/testing";
import { expect, test } from "vitest";
import { CONFIGURATION, Playground } from "../playground.ts";

const ASKING = CONFIGURATION.replace('tee = ["*"], ', "").replace("[deny]", '[ask]\nrun = { tee = ["*"] }\n[deny]');

/** What earlier versions left behind. */
const GOLDEN = join(import.meta.dirname, "../../../testing/golden");

interface Made {
  readonly file: string;
  readonly log: { readonly size: number; readonly first_key: string };
  readonly deployment: string;
  readonly unsigned: number;
}

const effects = (place: Playground): string => readFileSync(join(place.project, "out/effects"), "utf8");

test("what was approved after a backup is not approved again in what is restored from it, and clients notice the loss", async () => {
  await using place = new Playground(ASKING);
  const host = await place.up();
  await place.propose("fs_write", { path: "out/kept", content: "x".repeat(100_000), mode: "create" });
  const asked = await place.propose("process_exec", { bin: "tee", argv: ["-a", "out/effects"], stdin: "one\n" });
  const id = asked.approval?.id ?? "";
  const folder = place.folder("backups");
  const { code, value: made } = await place.json<Made>(["backup", "--out", folder]);
  expect({ code, unsigned: made.unsigned }).toEqual({ code: 0, unsigned: 0 });
  const status = await place.json<{ deployment: { digest: string } }>(["status"]);
  expect(made.deployment).toBe(status.value.deployment.digest);
  expect((await place.run(["approvals", "allow", id])).code).toBe(0);
  await expect.poll(() => effects(place)).toBe("one\n");
  expect((await place.run(["restore", made.file])).stderr).toContain("is not empty");
  // The last that a client sees of it.
  expect((await place.run(["down"])).code).toBe(0);
  expect(await host.ended).toBe(0);

  renameSync(place.state, join(place.root, "lost"));
  const restored = await place.run(["restore", made.file, "--project", join(place.root, "p2")]);
  expect(restored.stdout).toContain("withdrawn, to be proposed again: 1 call that waited for an operator");
  expect(restored.stdout).toContain("will not take this log for it");
  expect(readFileSync(join(place.root, "p2/femtoclaw.toml"), "utf8")).toBe(ASKING);
  await place.up();
  const refused = await place.run(["approvals", "allow", id]);
  expect({ code: refused.code, told: refused.stderr.includes("FEMTO_LOG_ROLLED_BACK") }).toEqual({
    code: 1,
    told: true,
  });
  await place.run(["audit", "forget"]);
  expect((await place.run(["approvals", "allow", id])).stderr).toContain("FEMTO_APPROVAL_NOT_FOUND");
  expect((await place.json(["approvals", "list"])).value).toEqual([]);
  expect(effects(place)).toBe("one\n");
  // The old log is whole, with the large value beside it, and of the key that was told when the backup was made.
  place.write("log.vkey", made.log.first_key);
  const old = join(place.state, "epochs/1");
  const verified = await place.json<{ size: number; exit: number; caveats: string[] }>([
    ...["audit", "verify", old, "--key", join(place.root, "log.vkey")],
  ]);
  expect(verified.value).toMatchObject({ size: made.log.size, exit: 0 });
  expect(verified.value.caveats.join()).not.toContain("not part of what was given");
});

test("a stopped log is backed up after a crash as far as it is signed, with the logs before it, and goes on without a word where nothing was lost", async () => {
  await using place = new Playground();
  const host = await place.up();
  await place.propose("process_exec", { bin: "echo", argv: ["once"] });
  host.kill("SIGTERM");
  await host.ended;
  // A copy opens an epoch of its own, so that there is an older log in the form of a database.
  execFileSync("cp", ["-a", place.state, `${place.state}.copy`]);
  renameSync(place.state, `${place.state}.gone`);
  renameSync(`${place.state}.copy`, place.state);
  const second = await place.up();
  await place.call("process_exec", { bin: "echo", argv: ["twice"] });
  second.kill("SIGKILL");
  await second.ended;
  const before = digests(place.state);
  const file = join(place.root, "b");
  const made = await place.json<Made>(["backup", "--out", file, "--keys"]);
  expect(digests(place.state)).toEqual(before);
  expect({ code: made.code, isBehind: made.value.unsigned > 0 }).toEqual({ code: 3, isBehind: true });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const listed = execFileSync("tar", ["-tf", file]).toString();
  expect(listed).toContain("epochs/1/journal/CURRENT");
  expect(listed).not.toMatch(/\.pem|secrets/);
  expect(execFileSync("tar", ["-tf", `${file}.keys`]).toString()).toContain("keys/log.pem");
  expect((await place.run(["backup", "--out", file])).stderr).toContain("exists already");

  const third = await place.up();
  third.kill("SIGTERM");
  await third.ended;
  const whole = join(place.root, "whole");
  expect((await place.run(["backup", "--out", whole])).code).toBe(0);
  renameSync(place.state, `${place.state}.lost`);
  const restored = await place.run(["restore", whole, "--keys", `${file}.keys`]);
  expect({ code: restored.code, told: restored.stdout.includes("clients have seen") }).toEqual({
    code: 0,
    told: false,
  });
  expect(readdirSync(join(place.state, "epochs")).sort()).toEqual(["1", "2", "2.values.jsonl"]);
  await place.up();
  const answer = await place.call("process_exec", { bin: "echo", argv: ["thrice"] });
  expect(answer.value.status).toBe("completed");
});

test.runIf(HAS_SMALL_DISK)("a killed backup and a full disk leave nothing half", async () => {
  await using place = new Playground();
  expect((await place.run(["call", "--embedded", "fs_read", '{"path":"notes.txt"}'])).code).toBe(0);
  const folder = place.folder("backups");
  const killed = place.spawn(["backup", "--out", join(folder, "b")]);
  await expect.poll(() => readdirSync(folder).length).toBe(1);
  killed.kill("SIGKILL");
  await expect.poll(() => killed.signalCode).toBe("SIGKILL");
  // One that is killed at its very end has given the backup its name already.
  const left = readdirSync(folder).filter((name) => name.startsWith(".femtoclaw-backup."));
  const next = await place.run(["backup", "--out", join(folder, "c")]);
  expect(next.code).toBe(0);
  expect(next.stderr.includes("which an interrupted backup has left")).toBe(left.length > 0);
  expect(readdirSync(folder)).toContain("c");
  expect(readdirSync(folder).filter((name) => name.startsWith("."))).toEqual([]);

  using disk = new SmallDisk(256 * 1024);
  disk.fill();
  const full = await place.run(["backup", "--out", join(disk.path, "b")]);
  expect({ code: full.code, told: /ENOSPC|FEMTO_DISK_FULL/.test(full.stderr) }).toEqual({ code: 70, told: true });
  const unrestored = await place.run(["--state", join(disk.path, "s"), "restore", join(folder, "c")]);
  expect({ code: unrestored.code, told: unrestored.stderr.includes("ENOSPC") }).toEqual({ code: 70, told: true });
  expect(readdirSync(disk.path)).toEqual(["ballast"]);
  // On some of these disks there is room for what is unpacked and none for the log that goes on.
  for (const kilobytes of [48, 64, 80, 96]) {
    using small = new SmallDisk(kilobytes * 1024);
    const nearly = await place.run(["--state", join(small.path, "s"), "restore", join(folder, "c")]);
    const isTold =
      /^ {2}fix: (?:Use a disk with room|Free space on that disk, and inodes [^.]+\. Or use another disk)\.$/m.test(
        nearly.stderr,
      );
    expect([kilobytes, nearly.code === 0 || isTold, nearly.stderr]).toEqual([kilobytes, true, expect.any(String)]);
  }
  // What a call may read, or what it would be a backup of, gets none.
  for (const out of [join(place.project, "out"), place.state]) {
    expect((await place.run(["backup", "--out", join(out, "b")])).code).toBe(70);
  }
  // What is denied to every call may hold one.
  expect((await place.run(["backup", "--out", join(place.project, "secrets", "b")])).code).toBe(0);
  mkdirSync(join(place.root, "open"));
  execFileSync("chmod", ["777", join(place.root, "open")]);
  expect((await place.run(["backup", "--out", join(place.root, "open")])).stderr).toContain("others can write to");
});

/** Every file of a state directory as it is. */
function digests(folder: string): string {
  const listed = execFileSync("find", [
    folder,
    "-type",
    "f",
    "!",
    "-name",
    "claim.lock",
    "-exec",
    "sha256sum",
    "{}",
    "+",
  ]);
  return listed.toString().split("\n").sort().join("\n");
}

test("a damaged journal is refused by the name of its own file, and not by that of a copy that is gone by then", async () => {
  await using place = new Playground();
  expect((await place.run(["call", "--embedded", "fs_read", '{"path":"notes.txt"}'])).code).toBe(0);
  const name = readdirSync(join(place.state, "journal")).find((found) => found.endsWith(".log"));
  const path = join(place.state, "journal", String(name));
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
  writeFileSync(path, bytes);
  const { code, stderr } = await place.run(["backup", "--out", join(place.root, "b")]);
  expect({ code, stderr }).toMatchObject({
    code: 70,
    stderr: expect.stringContaining(`FEMTO_JOURNAL_CORRUPT: ${path}`),
  });
  expect(stderr).toContain("Keep a copy of the state directory as evidence");
});

test("a log before it that nobody signed stands by what the log after it says, and a different one does not", async () => {
  await using place = new Playground();
  // A host that was killed before its first checkpoint, somewhere else: what is started on a copy goes on in a log of its own.
  const [golden, other] = ["0.2.0", "0.3.0"].map((version) => join(GOLDEN, version, "state"));
  cpSync(String(golden), place.state, { recursive: true });
  execFileSync("chmod", ["-R", "go-rwx", place.state]);
  expect((await place.run(["call", "--embedded", "fs_read", '{"path":"notes.txt"}'])).code).toBe(0);
  expect((await place.run(["audit", "verify", join(place.state, "epochs/1")])).code).toBe(3);
  const folder = place.folder("backups");
  const made = await place.run(["backup", "--out", join(folder, "b")]);
  expect(made).toMatchObject({ code: 0 });
  const restored = await place.run(["--state", join(place.root, "again"), "restore", join(folder, "b")]);
  expect(restored).toMatchObject({ code: 0 });
  expect(readdirSync(join(place.root, "again/epochs"))).toEqual(expect.arrayContaining(["1", "2", "3"]));
  // Somebody exchanges it for another one that nobody signed either.
  rmSync(join(place.state, "epochs/1/journal"), { recursive: true });
  cpSync(join(String(other), "epochs/1/journal"), join(place.state, "epochs/1/journal"), { recursive: true });
  const refused = await place.run(["backup", "--out", join(folder, "c")]);
  expect([refused.code, refused.stderr]).toEqual([
    70,
    expect.stringMatching(/epochs\/1 is incomplete: .*no checkpoint/),
  ]);
  expect(readdirSync(folder)).toEqual(["b"]);
});
