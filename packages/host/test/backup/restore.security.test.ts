import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import fs, { open } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { FemtoError } from "@femtoclaw/protocol";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { ArchiveWriter, readArchive } from "../../src/backup/archive.ts";
import { makeBackup } from "../../src/backup/make-backup.ts";
import { restoreBackup } from "../../src/backup/restore-backup.ts";
import { loadConfiguration } from "../../src/configuration/load-configuration.ts";
import { CONFIGURATION, Playground } from "../playground.ts";

let place: Playground;
let whole: Buffer;
let parts: ReadonlyMap<string, Buffer>;
/** The log of the place, as a backup holds it. */
let exported: string;
let tries = 0;

/** One backup with a few records and a Cedar file; everything here is done to copies of it. */
beforeAll(async () => {
  place = new Playground();
  place.write("p/policy/extra.cedar", "// nothing yet\n");
  await place.run(["call", "--embedded", "process_exec", '{"bin":"echo","argv":["hello"]}']);
  const made = await place.run(["backup", "--out", join(place.root, "whole"), "--keys"]);
  if (made.code !== 0) throw new Error(made.stderr);
  exported = join(place.root, "exported");
  const out = await place.run(["audit", "export", "--format", "tiles", "--with-values", "--out", exported]);
  if (out.code !== 0) throw new Error(out.stderr);
  whole = readFileSync(join(place.root, "whole"));
  parts = await entriesOf(join(place.root, "whole"));
});
afterAll(() => place[Symbol.asyncDispose]());

async function entriesOf(file: string): Promise<ReadonlyMap<string, Buffer>> {
  await using handle = await open(file);
  const found = new Map<string, Buffer>();
  for await (const { path, content } of readArchive(handle, (await handle.stat()).size)) {
    const chunks: Buffer[] = [];
    for await (const chunk of content) chunks.push(chunk);
    found.set(path, Buffer.concat(chunks));
  }
  return found;
}

/** A file with these entries and the right digest, as somebody writes it who has the sources. */
async function forged(entries: readonly (readonly [string, Uint8Array])[], digest = true): Promise<string> {
  tries += 1;
  const file = join(place.root, `forged-${tries}`);
  await using handle = await open(file, "wx", 0o600);
  const writer = new ArchiveWriter(handle, 0);
  for (const [path, bytes] of entries) await writer.add(path, bytes);
  if (digest) await writer.add("sha256", Buffer.from(`${writer.sha256}\n`));
  await writer.end();
  return file;
}

const honest = (): [string, Buffer][] => [...parts].filter(([path]) => path !== "sha256");

function given(bytes: Uint8Array): string {
  tries += 1;
  return place.write(`given-${tries}`, bytes);
}

interface Attempt {
  readonly state?: string;
  readonly keys?: string;
  readonly pinned?: string;
  readonly project?: string;
  /** What somebody else does while the new log is begun. */
  readonly meanwhile?: () => void;
}

interface Said {
  readonly say?: (line: string) => void;
}

/** Code and reason of the refusal; the folder in which it was tried is as empty as before. */
async function refusal(file: string, { state, keys, pinned, project, meanwhile }: Attempt = {}): Promise<string> {
  tries += 1;
  const folder = place.folder(`try-${tries}`);
  const attempt = restoreBackup({
    file,
    state: state ?? join(folder, "state"),
    keys: keys ?? null,
    project: project ?? null,
    pinned,
    known: null,
    during: async (what, work) => {
      if (what === "opening a new epoch") meanwhile?.();
      return await work();
    },
    say: () => undefined,
  });
  const error = await attempt.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof FemtoError)) throw new Error(`it was taken, or failed by a bug: ${error}`, { cause: error });
  expect(readdirSync(folder)).toEqual([]);
  return `${error.code}: ${error.message}`;
}

test("a backup that was cut short anywhere is refused", async () => {
  const cuts = new Set([
    0,
    1,
    511,
    512,
    513,
    whole.length - 1,
    whole.length - 512,
    whole.length - 1_024,
    whole.length - 1_536,
  ]);
  for (let at = 512; at < whole.length; at += Math.ceil(whole.length / 12 / 512) * 512) cuts.add(at);
  for (const at of cuts) expect(await refusal(given(whole.subarray(0, at)))).toContain("FEMTO_BACKUP_DAMAGED");
  expect(await refusal(given(Buffer.concat([whole, Buffer.alloc(512)])))).toContain("something follows its end");
});

test("a bit that was flipped anywhere is found", async () => {
  // Each kind of place: headers, contents, padding, digest, end.
  const places = [0, 99, 107, 130, 140, 150, 156, 160, 260, 300, 345, 400, 505, 520, 700, 1_023];
  for (let at = 1_031; at < whole.length; at += Math.ceil(whole.length / 30)) places.push(at);
  for (const at of [...places, whole.length - 1, whole.length - 1_030, whole.length - 1_500]) {
    const bytes = Buffer.from(whole);
    bytes[at] = (bytes[at] ?? 0) ^ 0x10;
    expect(await refusal(given(bytes)), `byte ${at}`).toMatch(/FEMTO_BACKUP_DAMAGED|FEMTO_JOURNAL_FORMAT/);
  }
});

test("what GNU tar packs besides plain files is taken by nobody", async () => {
  const folder = place.folder("tarred");
  const outside = place.write("outside", "mine\n");
  symlinkSync(outside, join(folder, "link"));
  writeFileSync(join(folder, "plain"), "x");
  execFileSync("ln", [join(folder, "plain"), join(folder, "second")]);
  execFileSync("mkfifo", [join(folder, "pipe")]);
  mkdirSync(join(folder, "folder"));
  for (const names of [["link"], ["plain", "second"], ["pipe"], ["folder"], ["/dev/null"], ["../outside"]]) {
    tries += 1;
    const file = join(place.root, `tar-${tries}`);
    execFileSync("tar", ["-P", "--format=ustar", "-cf", file, "-C", folder, ...names], { stdio: "ignore" });
    chmodSync(file, 0o600);
    expect(await refusal(file)).toContain("FEMTO_BACKUP_DAMAGED");
  }
  expect(readFileSync(outside, "utf8")).toBe("mine\n");
});

test("no name leads out of the folder, into another part, or to two things", async () => {
  const odd = Buffer.from("x");
  const names = [
    ...[
      "../escaped",
      "epochs/../../escaped",
      "/tmp/escaped",
      "epochs/./x",
      "epochs//x",
      "epochs/x\ny",
      "identity",
      "project/.envrc",
      "epochs/1/journal/CURRENT",
    ],
    ...["keys/log.pem", "journal/CURRENT", "secrets.json", "claim.lock", "epochs", "project", "backup.json"],
    ...[
      "epochs/1/checkpoint",
      "epochs/1/checkpoint/x",
      "epochs/1",
      "epochs/1/state.json",
      `epochs/${"a/".repeat(20)}x`,
    ],
    // What a start would finish as a log that was decided on, with keys and a journal of whoever wrote the backup.
    ...["epochs/1.opening/keys/log.pem", "epochs/1.opening/journal/CURRENT", "epochs/9.opening/identity"],
    ...["epochs/new.0b7c5a52-0000-4000-8000-000000000000/x", "epochs/1/keys/log.pem", "epochs/x/y", "epochs/01/x"],
  ];
  for (const name of names) {
    const file = await forged([...honest(), [name, odd]]);
    expect(await refusal(file), name).toMatch(/FEMTO_BACKUP_DAMAGED|FEMTO_RESTORE_REFUSED/);
  }
  expect(readdirSync("/tmp")).not.toContain("escaped");
});

test("sizes that no file has cost nothing", async () => {
  for (const size of ["77777777777\0", null]) {
    const bytes = Buffer.from(whole);
    if (size === null) {
      bytes.fill(0, 124, 136);
      bytes[124] = 0x80;
      bytes.writeBigUInt64BE(BigInt(Number.MAX_SAFE_INTEGER), 128);
    } else bytes.write(size, 124);
    bytes.write("        ", 148);
    const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    expect(await refusal(given(bytes))).toContain("it ends within");
  }
  expect(await refusal(await forged([["backup.json", Buffer.alloc(70_000, "[")]]))).toContain("too large");
  expect(await refusal(await forged([["backup.json", Buffer.from("[".repeat(60_000))]]))).toContain(
    "does not begin with",
  );
});

test("a log that was changed is found although every digest is right", async () => {
  const manifest = JSON.parse(parts.get("backup.json")?.toString() ?? "") as { log: Record<string, unknown> };
  const claim = (changes: object): Buffer => Buffer.from(JSON.stringify({ ...manifest, ...changes }));
  const log = (changes: object): Buffer => claim({ log: { ...manifest.log, ...changes } });
  const entries = [...parts.keys()].find((path) => path.startsWith("epochs/1/tile/entries/")) ?? "";
  const bundle = Buffer.from(parts.get(entries) ?? "");
  bundle.write("X", bundle.indexOf("hello"));
  const withPart = (name: string, bytes: Uint8Array | null): Promise<string> =>
    forged(honest().flatMap(([path, old]) => (path !== name ? [[path, old]] : bytes === null ? [] : [[path, bytes]])));
  const cases: readonly [string, Uint8Array | null][] = [
    [entries, bundle],
    ["epochs/1/checkpoint", null],
    ["epochs/1/checkpoint", Buffer.from("x\n1\nAAAA\n")],
    ["epochs/1.values.jsonl", Buffer.from("{}\n")],
    ["backup.json", log({ size: 1 })],
    ["backup.json", log({ root: "AAAA" })],
    ["backup.json", log({ first_key: "another" })],
    ["backup.json", claim({ epoch: "2" })],
    ["backup.json", claim({ epoch: "../../1" })],
    ["backup.json", claim({ kind: "keys" })],
  ];
  for (const [name, bytes] of cases) {
    expect(await refusal(await withPart(name, bytes)), `${name} ${bytes}`).toContain("FEMTO_BACKUP_DAMAGED");
  }
  expect(await refusal(await withPart("backup.json", claim({ v: 2 })))).toContain("FEMTO_JOURNAL_FORMAT");
  expect(await refusal(await forged(honest(), false))).toContain("no whole file");
});

test("a backup of another key, keys of another log, and files of the wrong kind are refused", async () => {
  const [file, keys] = [join(place.root, "whole"), join(place.root, "whole.keys")];
  const other = "femtoclaw.local/0123456789abcdef0123456789abcdef+00000000+AAAA";
  expect(await refusal(file, { pinned: other })).toContain("FEMTO_BACKUP_DAMAGED");
  expect(await refusal(keys)).toContain("FEMTO_BACKUP_DAMAGED");
  expect(await refusal(file, { keys: file })).toContain("FEMTO_BACKUP_DAMAGED");
  const entries = [...(await entriesOf(keys))].filter(([path]) => path !== "sha256");
  const claim = JSON.parse(entries[0]?.[1].toString() ?? "") as { log: object };
  const foreign = Buffer.from(JSON.stringify({ ...claim, log: { ...claim.log, first_key: other } }));
  const ofOther = await forged([["backup.json", foreign], ...entries.slice(1)]);
  expect(await refusal(file, { keys: ofOther })).toContain("goes with another log");
});

test("a file and a place that others can change are refused", async () => {
  const file = given(whole);
  const link = join(place.root, "link-to-backup");
  symlinkSync(file, link);
  expect(await refusal(link)).toContain("is a symbolic link");
  execFileSync("mkfifo", ["-m", "600", join(place.root, "pipe")]);
  expect(await refusal(join(place.root, "pipe"))).toContain("no regular file");
  chmodSync(file, 0o622);
  expect(await refusal(file)).toContain("can be changed by others");
  chmodSync(file, 0o600);
  if (process.geteuid?.() === 0) {
    chownSync(file, 65_534, 65_534);
    expect(await refusal(file)).toContain("belongs to user 65534");
    chownSync(file, 0, 0);
  }
  symlinkSync(place.folder("elsewhere"), join(place.root, "state-link"));
  expect(await refusal(file, { state: join(place.root, "state-link") })).toContain("is a symbolic link");
  const open777 = place.folder("open");
  chmodSync(open777, 0o777);
  expect(await refusal(file, { state: join(open777, "s") })).toContain("others can write to");
  expect(await refusal(file, { state: place.project })).toContain("is not empty");
});

test("a project is put beside the state directory, or neither of them is", async () => {
  const file = join(place.root, "whole");
  const outer = place.folder("both");
  for (const [state, project] of [
    [join(outer, "a"), join(outer, "a")],
    [join(outer, "state"), outer],
    [outer, join(outer, "project")],
  ] as const) {
    expect(await refusal(file, { state, project })).toContain("cannot both be made");
    expect(readdirSync(outer)).toEqual([]);
  }
  const [state, project] = [join(outer, "state"), join(outer, "project")];
  const meanwhile = (): void => void place.write("both/state/mine", "x");
  expect(await refusal(file, { state, project, meanwhile })).toContain("is not empty");
  expect(readdirSync(outer)).toEqual(["state"]);
  expect(readdirSync(state)).toEqual(["mine"]);
});

test("keys and secrets are written where no call reaches them", async () => {
  await using other = new Playground(CONFIGURATION.replace('read = ["secrets"]', 'read = ["secrets", "mine"]'));
  await other.run(["call", "--embedded", "process_exec", '{"bin":"echo","argv":["hello"]}']);
  const refused = await other.run(["backup", "--out", join(other.project, "mine"), "--keys"]);
  expect([refused.code, refused.stderr]).toEqual([70, expect.stringContaining("calls may reach")]);
  expect(readdirSync(other.project)).not.toContain("mine.keys");
});

/** A backup with keys of the log as it is, into this folder. */
async function backedUp(folder: string, { meanwhile, say }: Pick<Attempt, "meanwhile"> & Said = {}): Promise<string> {
  const { file } = await makeBackup({
    loaded: loadConfiguration({ cwd: place.project, environment: place.environment }),
    out: join(folder, "b"),
    withKeys: true,
    known: null,
    exportLog: async (to) => {
      cpSync(exported, to, { recursive: true });
      return { unsigned: 0 };
    },
    during: async (what, work) => {
      if (what === "reading the backup back") meanwhile?.();
      return await work();
    },
    say: say ?? (() => undefined),
  });
  return file;
}

test("of a backup whose name is taken meanwhile no keys are left", async () => {
  const folder = place.folder("taken");
  const out = join(folder, "b");
  const made = backedUp(folder, { meanwhile: () => void place.write("taken/b", "mine") });
  await expect(made).rejects.toMatchObject({ code: "FEMTO_BACKUP_FAILED", message: `${out} exists already` });
  expect(readdirSync(folder)).toEqual(["b"]);
  expect(readFileSync(out, "utf8")).toBe("mine");
});

/** Lets the n-th sync of a file or folder fail from now on; returns whether it was reached. */
async function failingSync(nth: number): Promise<() => boolean> {
  await using handle = await open(place.root);
  const prototype = Object.getPrototypeOf(handle) as { sync(): Promise<void> };
  const { sync } = prototype;
  let calls = 0;
  prototype.sync = async function (this: { sync(): Promise<void> }) {
    calls += 1;
    if (calls === nth) throw Object.assign(new Error("EIO: i/o error, fsync"), { code: "EIO" });
    return await sync.call(this);
  };
  const restore = (): void => void Object.assign(prototype, { sync });
  onTestFinished(restore);
  return () => {
    restore();
    return calls >= nth;
  };
}

test("whatever cannot be made durable, a backup and its keys are both there or both not", async () => {
  const folder = place.folder("unsynced");
  for (let nth = 1; ; nth += 1) {
    const ended = await failingSync(nth);
    const made = await backedUp(folder).catch((error: unknown) => error);
    if (!ended()) break;
    expect([nth, made]).toEqual([nth, expect.objectContaining({ code: "FEMTO_BACKUP_FAILED" })]);
    expect([nth, readdirSync(folder)]).toEqual([nth, []]);
  }
  expect(readdirSync(folder).toSorted()).toEqual(["b", "b.keys"]);
});

test("whatever cannot be made durable, state directory and project are both restored or both not", async () => {
  const file = join(place.root, "whole");
  for (let nth = 1; ; nth += 1) {
    const folder = place.folder(`restored-${nth}`);
    const ended = await failingSync(nth);
    const [state, project] = [join(folder, "state"), join(folder, "project")];
    const asked = { file, state, project, keys: null, pinned: undefined, known: null, say: () => undefined };
    const made = await restoreBackup({ ...asked, during: async (_, work) => await work() }).catch(
      (error: unknown) => error,
    );
    const left = readdirSync(folder).toSorted();
    if (!ended()) {
      expect(left).toEqual(["project", "state"]);
      return;
    }
    expect([nth, made]).toEqual([nth, expect.any(FemtoError)]);
    expect([nth, left]).toEqual([nth, []]);
  }
});

test("a work folder that cannot be removed is named, and neither undoes a backup nor hides why there is none", async () => {
  const folder = place.folder("unremoved");
  const { rm } = fs;
  fs.rm = async (path, options) => {
    if (!String(path).endsWith(".gone")) return await rm(path, options);
    throw Object.assign(new Error("EROFS: read-only file system, rmdir"), { code: "EROFS" });
  };
  syncBuiltinESMExports();
  onTestFinished(() => {
    fs.rm = rm;
    syncBuiltinESMExports();
  });
  const said: string[] = [];
  const say = (line: string): void => void said.push(line);
  expect(await backedUp(folder, { say })).toBe(join(folder, "b"));
  expect(said).toEqual([
    expect.stringMatching(/^\S+\/\.femtoclaw-backup\.\S+ could not be removed \(EROFS\); the next/),
  ]);
  const full = backedUp(place.folder("unremoved-2"), {
    say,
    meanwhile: () => {
      throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
    },
  });
  await expect(full).rejects.toMatchObject({ message: expect.stringContaining("cannot be written: ENOSPC") });
});

test("of two restores to one place the second is told that the place is taken", async () => {
  const folder = place.folder("raced");
  const state = join(folder, "state");
  const during = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const done = await work();
    if (what === "opening a new epoch") place.write("raced/state/of-another", "");
    return done;
  };
  const file = join(place.root, "whole");
  const asked = { file, state, project: null, keys: null, pinned: undefined, known: null, say: () => undefined };
  await expect(restoreBackup({ ...asked, during })).rejects.toMatchObject({
    code: "FEMTO_RESTORE_REFUSED",
    message: `${state} is not empty`,
  });
  expect([readdirSync(folder), readdirSync(state)]).toEqual([["state"], ["of-another"]]);
});
