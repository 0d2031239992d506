/** What an operator is shown of the files that a call names, and what is not even looked at. */
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApprovedFile, type Authority, LIMITS } from "@femtoclaw/protocol";
import { expect, it, onTestFinished } from "vitest";
import { BoundArguments, namedFiles } from "../src/index.ts";

const NOTHING = { read: [], write: [], run: [] };

function place(): { readonly root: string; readonly authority: Authority } {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "femtoclaw-named-")));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, "secrets"));
  const deny = { ...NOTHING, read: [{ path: join(root, "secrets"), source: "test" }] };
  const authority = {
    workspace: root,
    searchPath: [],
    allow: NOTHING,
    ask: NOTHING,
    deny,
    floor: [],
    childRead: [],
    environment: {},
    environmentNames: [],
  };
  return { root, authority };
}

function running(cwd: string, args: readonly string[]): BoundArguments {
  const version = { device: 0n, inode: 0n, size: 0n, modifiedNs: 0n, changedNs: 0n };
  const program = {
    kind: "program",
    path: "/bin/p",
    realPath: "/bin/p",
    version,
    sha256: "",
    args,
    environment: {},
    cwd,
  };
  return new BoundArguments(new Map([["/bin", program as never]]), new DisposableStack());
}

async function filesOf(bound: BoundArguments, authority: Authority): Promise<readonly ApprovedFile[]> {
  const named = await namedFiles(bound, authority);
  if (!named.ok) throw new Error(named.reason);
  return named.files;
}

it("digests what is shown, and only binds what is secret, outside or too much", async () => {
  const { root, authority } = place();
  writeFileSync(join(root, "script"), "echo");
  writeFileSync(join(root, "secrets/key"), "k");
  for (const name of ["large", "larger"]) {
    writeFileSync(join(root, name), "");
    truncateSync(join(root, name), LIMITS.approvalFileBytes - 1_000_000);
  }
  const args = ["script", "--option", "secrets/key", "/etc/passwd", "large", "larger", "no file"];
  const files = await filesOf(running(root, args), authority);
  const told = new Map(files.map(({ path, sha256 }) => [path.replace(`${root}/`, ""), sha256]));
  expect(told.get("script")).toBe(createHash("sha256").update("echo").digest("hex"));
  expect(told.get("large")).toMatch(/^[0-9a-f]{64}$/);
  for (const name of ["secrets/key", "/etc/passwd", "larger"]) expect(told.get(name), name).toBeNull();
  expect(told.size).toBe(5);
  for (const { sha256, changed } of files) expect(changed === undefined).toBe(sha256 !== null);
});

it("opens neither pipes nor devices", async () => {
  const { root, authority } = place();
  execFileSync("mkfifo", [join(root, "pipe")]);
  expect(await filesOf(running(root, ["pipe", "/dev/zero", ".", "/dev/stdin"]), authority)).toEqual([]);
});

/** Keeps everybody else from opening a file, as a program of the same user can outside of a sandbox. */
const LEASE =
  "open my $f, '<', $ARGV[0]; $SIG{IO} = sub {}; fcntl($f, 1024, 1) or die; print 1; close STDOUT; sleep 9 for 1..9";

it("binds a file that nobody may open just now, and waits for nobody", async () => {
  const { root, authority } = place();
  const script = join(root, "script");
  writeFileSync(script, "echo");
  const leasing = spawn("/usr/bin/perl", ["-e", LEASE, script], { stdio: ["ignore", "pipe", "inherit"] });
  await once(leasing.stdout, "data");
  const named = await filesOf(running(root, ["script"]), authority);
  leasing.kill("SIGKILL");
  await once(leasing, "exit");
  const changed = String(statSync(script, { bigint: true }).ctimeNs);
  expect(named).toEqual([{ path: script, bytes: 4, sha256: null, changed }]);
});

/** What a user without any rights finds, where this one has all. */
function asOther<T>(look: () => T): T {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    return look();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

it("asks nobody about a file that the host may not even find", async () => {
  const { root, authority } = place();
  mkdirSync(join(root, "closed"));
  writeFileSync(join(root, "closed/script"), "echo");
  chmodSync(join(root, "closed"), 0);
  const named = await asOther(() => namedFiles(running(root, ["closed/script"]), authority));
  chmodSync(join(root, "closed"), 0o700);
  expect(named).toEqual({ ok: false, reason: `${root}/closed/script may not be examined (EACCES)` });
});

it("takes for a word what names no file", async () => {
  const { root, authority } = place();
  writeFileSync(join(root, "script"), "echo");
  symlinkSync("loop", join(root, "loop"));
  const words = ["script/more", "loop", "none", "x".repeat(300), "a\nb"];
  expect(await filesOf(running(root, words), authority)).toEqual([]);
});

it("asks nobody about a call that names more files than are looked at", async () => {
  const { root, authority } = place();
  const names = Array.from({ length: LIMITS.approvalFiles + 1 }, (_, n) => `f${n}`);
  for (const name of names) writeFileSync(join(root, name), name);
  expect(await filesOf(running(root, names.slice(1)), authority)).toHaveLength(LIMITS.approvalFiles);
  expect(await namedFiles(running(root, names), authority)).toMatchObject({ ok: false });
});

it("looks at the file that the kernel finds behind a link and two dots", async () => {
  const { root, authority } = place();
  mkdirSync(join(root, "far/folder"), { recursive: true });
  symlinkSync("far/folder", join(root, "link"));
  writeFileSync(join(root, "script"), "harmless");
  writeFileSync(join(root, "far/script"), "harmful");
  const files = await filesOf(running(root, ["link/../script"]), authority);
  expect(files.map(({ path }) => path)).toEqual([join(root, "far/script")]);
});

it.each([
  ...["--file=script", "-fscript", "-f=script", "if=script", "@script", "--config=@script", "script"],
  ...["content@script", "--data-urlencode=content@script", "--property=key=script", "-dkey=a=b=@script"],
])("finds the file that %s names", async (argument) => {
  const { root, authority } = place();
  writeFileSync(join(root, "script"), "echo");
  const files = await filesOf(running(root, [argument]), authority);
  expect(files.map(({ path }) => path)).toEqual([join(root, "script")]);
});

it("asks nobody about what is another file for the program than for the host", async () => {
  const { root, authority } = place();
  writeFileSync(join(root, "script"), "echo");
  symlinkSync("/proc/self/cwd", join(root, "here"));
  symlinkSync("here", join(root, "there"));
  const ways = [
    "/proc/self/cwd/script",
    "//proc/./1/cwd/script",
    "here/script",
    "there/script",
    "/dev/fd/../cwd/script",
  ];
  for (const way of [...ways, ...ways.map((one) => `--file=${one}`)]) {
    expect(await namedFiles(running(root, [way]), authority), way).toMatchObject({ ok: false });
  }
});
