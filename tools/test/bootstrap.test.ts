/** The bootstrap with real npm on a small project: installs once, then is silent, and never twice at a time. */
import { execFile, spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";

const BOOTSTRAP = fileURLToPath(new URL("../bootstrap.cjs", import.meta.url));
const run = promisify(execFile);

let root: string;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "femto-bootstrap-")));
  mkdirSync(join(root, "tools"));
  cpSync(BOOTSTRAP, join(root, "tools/bootstrap.cjs"));
  describeProject(["part"]);
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function writeJson(name: string, content: object): void {
  writeFileSync(join(root, name), JSON.stringify(content));
}

/** A project that needs nothing from the network: its only packages are workspaces of its own. */
function describeProject(parts: readonly string[]): void {
  const project = { name: "project", version: "1.0.0", workspaces: ["packages/*"] };
  const packages: Record<string, object> = { "": project };
  for (const part of parts) {
    mkdirSync(join(root, "packages", part), { recursive: true });
    writeJson(`packages/${part}/package.json`, { name: part, version: "1.0.0" });
    packages[`node_modules/${part}`] = { resolved: `packages/${part}`, link: true };
    packages[`packages/${part}`] = { version: "1.0.0" };
  }
  writeJson("package.json", project);
  writeJson("package-lock.json", { ...project, lockfileVersion: 3, requires: true, packages });
}

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** In an environment without npm's variables, as when it is called by hand. */
async function bootstrap(extra: Record<string, string> = {}, nodeOptions: readonly string[] = []): Promise<Finished> {
  const env = { PATH: process.env["PATH"] ?? "", HOME: join(root, "home"), npm_config_offline: "true", ...extra };
  const child = spawn(process.execPath, [...nodeOptions, join(root, "tools/bootstrap.cjs")], { env });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, stdout, stderr };
}

const SILENT: Finished = { code: 0, stdout: "", stderr: "" };

test("installs once, then is silent; a new lock file installs again", async () => {
  const first = await bootstrap();
  expect(first).toMatchObject({ code: 0, stdout: "" });
  expect(first.stderr).toContain("femtoclaw: installing packages");
  expect(existsSync(join(root, "node_modules/part/package.json"))).toBe(true);
  expect(await bootstrap()).toEqual(SILENT);
  describeProject(["part", "other"]);
  expect((await bootstrap()).stderr).toContain("femtoclaw: installing packages");
  expect(await bootstrap()).toEqual(SILENT);
  expect(existsSync(join(root, ".femtoclaw-install.lock"))).toBe(false);
});

test("what was installed by hand is taken as it is", async () => {
  await run("npm", ["ci", "--offline", "--no-audit"], { cwd: root });
  expect(await bootstrap()).toEqual(SILENT);
  writeFileSync(join(root, "node_modules/kept"), "");
  rmSync(join(root, "node_modules/.femtoclaw-lock"));
  expect(await bootstrap()).toEqual(SILENT);
  expect(existsSync(join(root, "node_modules/kept"))).toBe(true);
});

test("a half-finished install is not taken for a whole one", async () => {
  mkdirSync(join(root, "node_modules"));
  writeJson("node_modules/.package-lock.json", { packages: {} });
  expect((await bootstrap()).stderr).toContain("femtoclaw: installing packages");
  writeFileSync(join(root, "node_modules/.package-lock.json"), "{ cut o");
  rmSync(join(root, "node_modules/.femtoclaw-lock"));
  expect((await bootstrap()).stderr).toContain("femtoclaw: installing packages");
});

test("of several at once one installs and the others wait", async () => {
  const finished = await Promise.all(Array.from({ length: 4 }, () => bootstrap()));
  expect(finished.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
  expect(finished.filter(({ stderr }) => stderr.includes("installing packages"))).toHaveLength(1);
  expect(await bootstrap()).toEqual(SILENT);
});

test("the lock of a dead process is taken over", async () => {
  const dead = spawn(process.execPath, ["-e", ""]);
  await new Promise((resolve) => dead.on("close", resolve));
  mkdirSync(join(root, ".femtoclaw-install.lock"));
  writeJson(".femtoclaw-install.lock/owner", { pid: dead.pid, host: hostname(), id: "x" });
  const { code, stderr } = await bootstrap();
  expect(code).toBe(0);
  expect(stderr).not.toContain("waiting");
  expect(existsSync(join(root, ".femtoclaw-install.lock"))).toBe(false);
});

test("a failing npm is a failure, leaves no stamp and no lock", async () => {
  writeFileSync(
    join(root, "package-lock.json"),
    '{"lockfileVersion":3,"packages":{"":{},"node_modules/x":{"version":"1.0.0"}}}',
  );
  const { code, stdout, stderr } = await bootstrap();
  expect(code).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toContain("femtoclaw: npm ci failed; its reasons stand above");
  expect(existsSync(join(root, "node_modules/.femtoclaw-lock"))).toBe(false);
  expect(existsSync(join(root, ".femtoclaw-install.lock"))).toBe(false);
});

test("another package manager's variables do not lead away from npm", async () => {
  writeFileSync(join(root, "yarn.js"), "require('node:fs').writeFileSync('called', '')");
  expect((await bootstrap({ npm_execpath: join(root, "yarn.js") })).code).toBe(0);
  expect(existsSync(join(root, "called"))).toBe(false);
});

test("too old a Node or npm is refused in words", async () => {
  writeFileSync(join(root, "old.cjs"), 'Object.defineProperty(process.versions, "node", { value: "16.20.2" });');
  const old = await bootstrap({}, ["--require", join(root, "old.cjs")]);
  expect(old).toEqual({
    code: 1,
    stdout: "",
    stderr: "femtoclaw: Node.js 16.20.2 is too old; install Node.js 18 or newer\n",
  });
  const oldNpm = await bootstrap({ npm_config_user_agent: "npm/8.19.4 node/v18.0.0 linux x64" });
  expect(oldNpm).toMatchObject({ code: 1, stderr: "femtoclaw: npm 8.19.4 is too old; install npm 9 or newer\n" });
});

test.each([
  [1_000, "sudo apt-get install bubblewrap", "confines programs by Landlock"],
  [0, "apt-get install bubblewrap", "nothing is executed for root"],
])(
  "says to user %i how to install a sandbox that is missing, and what is without it",
  async (uid, command, without) => {
    expect((await bootstrap()).code).toBe(0);
    // A machine without bubblewrap, on which nothing can be installed.
    writeFileSync(
      join(root, "machine.cjs"),
      `const fs = require("node:fs");
    const exists = fs.existsSync;
    fs.existsSync = (path) => !/\\/(bwrap|apt-get|dnf|pacman|zypper|apk)$/.test(path) && exists(path);
    process.getuid = () => ${uid};`,
    );
    const { code, stdout, stderr } = await bootstrap({}, ["--require", join(root, "machine.cjs")]);
    expect([code, stdout]).toEqual([0, ""]);
    expect(stderr).toMatch(/^femtoclaw: bubblewrap, the sandbox, is missing; .*\n$/);
    expect(stderr).toContain(`. Install it: ${command}\n`);
    expect(stderr).toContain(without);
  },
);

test("a platform without a packaged Node is named", async () => {
  writeFileSync(join(root, "old.cjs"), 'Object.defineProperty(process.versions, "node", { value: "20.1.0" });');
  const { code, stderr } = await bootstrap({}, ["--require", join(root, "old.cjs")]);
  expect(code).toBe(1);
  expect(stderr).toContain(
    `femtoclaw: no Node.js is packaged for ${process.platform}-${process.arch}; install Node.js 26`,
  );
});

test("a packaged Node that npm did not link, as npm 9 and 10 forget to, is linked", async () => {
  const project = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  writeJson("package.json", { ...project, optionalDependencies: { absent: "1.0.0", part: "1.0.0" } });
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  lock.packages[""] = { ...project, optionalDependencies: { absent: "1.0.0", part: "1.0.0" } };
  lock.packages["node_modules/absent"] = { version: "1.0.0", integrity: "sha512-x", optional: true, os: ["none"] };
  writeJson("package-lock.json", lock);
  mkdirSync(join(root, "packages/part/bin"));
  symlinkSync(process.execPath, join(root, "packages/part/bin/node"));
  writeFileSync(join(root, "old.cjs"), 'Object.defineProperty(process.versions, "node", { value: "20.1.0" });');
  expect((await bootstrap({}, ["--require", join(root, "old.cjs")])).code).toBe(0);
  expect(realpathSync(join(root, "node_modules/.bin/node"))).toBe(realpathSync(process.execPath));
});

test("uses nothing that Node 18 does not parse", () => {
  const source = readFileSync(BOOTSTRAP, "utf8");
  expect(source).not.toMatch(/\busing\b|import\.meta|\/v[;,.)]|^import /m);
});
