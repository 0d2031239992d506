/**
 * Makes a fresh checkout ready: packages, Node 26 and bubblewrap. npm calls it before start, test, bench
 * and check. Plain JavaScript that Node 18 parses; says nothing and takes milliseconds when nothing is
 * missing; talks on stderr only, because stdout belongs to the command that follows.
 */
"use strict";

const { spawnSync } = require("node:child_process");
const { createHash, randomUUID } = require("node:crypto");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const ROOT = path.resolve(__dirname, "..");
const MODULES = path.join(ROOT, "node_modules");
/** Says for which lock file, platform and architecture node_modules was installed. */
const STAMP = path.join(MODULES, ".femtoclaw-lock");
/** Lies beside node_modules, because `npm ci` begins by deleting that. */
const INSTALL_LOCK = path.join(ROOT, ".femtoclaw-install.lock");

/** The oldest Node and npm that can install; what runs afterwards is the Node of node_modules. */
const NODE_MAJOR_MIN = 18;
const NPM_MAJOR_MIN = 9;
const NODE_MAJOR_NEEDED = 26;

/** LIMIT: time to wait for another process that installs; the slowest install seen took two minutes. */
const WAIT_MS_MAX = 15 * 60_000;
/** LIMIT: pause between two looks at the lock. */
const WAIT_STEP_MS = 100;
/** A lock without an owner is as old as this only when its maker died between two system calls. */
const OWNERLESS_MS_MAX = 10_000;

/** Where the runtime itself looks for bubblewrap; $PATH plays no part. */
const SANDBOX_PLACES = ["/usr/local/bin/bwrap", "/usr/bin/bwrap", "/bin/bwrap"];
/** The package manager's own scripts need the folders for administrators too. */
const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

main();

function main() {
  requireMajor("Node.js", process.versions.node, NODE_MAJOR_MIN);
  const agent = /^npm\/(\S+)/.exec(process.env.npm_config_user_agent || "");
  if (agent !== null) requireMajor("npm", agent[1], NPM_MAJOR_MIN);
  const installsSandbox = isMissingSandbox() && canInstallSandbox();
  if (isMissingPackages() || installsSandbox) {
    withInstallLock(() => {
      // Whoever held the lock before may have done the work.
      if (isMissingPackages()) installPackages();
      if (installsSandbox && isMissingSandbox()) installSandbox();
    });
  }
  // This stops nothing here: the runtime itself refuses to execute without a sandbox, and says so.
  if (isMissingSandbox()) {
    say(`bubblewrap, the sandbox, is missing; without it nothing is executed. Install it: ${installCommand()}`);
  }
}

function say(text) {
  process.stderr.write(`femtoclaw: ${text}\n`);
}

function fail(text) {
  say(text);
  process.exit(1);
}

function requireMajor(name, version, least) {
  if (Number.parseInt(version, 10) < least) fail(`${name} ${version} is too old; install ${name} ${least} or newer`);
}

// Packages and Node 26

function isMissingPackages() {
  if (readOr(STAMP, "") === wantedStamp()) return false;
  if (!isInstalledByHand()) return true;
  requireNode();
  writeStamp();
  return false;
}

function writeStamp() {
  try {
    fs.writeFileSync(STAMP, wantedStamp());
  } catch (error) {
    // On a read-only checkout the long way is taken each time.
    if (error.code !== "EROFS" && error.code !== "EACCES") throw error;
  }
}

function wantedStamp() {
  const digest = createHash("sha256")
    .update(fs.readFileSync(path.join(ROOT, "package-lock.json")))
    .digest("hex");
  return `${digest} ${process.platform}-${process.arch}\n`;
}

/** True when `npm ci` or `npm install` already brought exactly what the lock file names; npm keeps a list of it. */
function isInstalledByHand() {
  const installed = packagesOf(path.join(MODULES, ".package-lock.json"));
  const wanted = packagesOf(path.join(ROOT, "package-lock.json"));
  if (installed === undefined || wanted === undefined) return false;
  const names = Object.keys(wanted).filter((name) => name.includes("node_modules/"));
  return names.every((name) => {
    const [left, right] = [wanted[name], installed[name]];
    // Packages for other platforms are optional and absent.
    if (right === undefined) return left.optional === true || left.devOptional === true;
    return left.version === right.version && left.integrity === right.integrity && left.link === right.link;
  });
}

function packagesOf(file) {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8")).packages;
  } catch {
    return undefined;
  }
}

function installPackages() {
  say("installing packages (once for each change of package-lock.json) …");
  const [command, npm] = npmCommand();
  // Spelt out, because an environment for production leaves out the very packages that run and test this.
  const options = ["--no-audit", "--no-fund", "--include=dev", "--include=optional", "--loglevel=error"];
  const { status, error } = spawnSync(command, [...npm, "ci", ...options], { cwd: ROOT, stdio: ["ignore", 2, 2] });
  if (error !== undefined && error.code === "ENOENT") fail("npm is not installed; it comes with Node.js");
  if (status !== 0) fail(`npm ci failed${error === undefined ? "" : ` (${error.message})`}; its reasons stand above`);
  requireNode();
  writeStamp();
}

/** The npm that called us, run by a Node that `npm ci` does not delete under it. */
function npmCommand() {
  const { npm_execpath: cli, npm_node_execpath: callersNode } = process.env;
  const isNpm = cli !== undefined && /^npm(-cli)?\.c?js$/.test(path.basename(cli)) && fs.existsSync(cli);
  if (!isNpm) return ["npm", []];
  const node = [callersNode, process.execPath].find(
    (file) => file !== undefined && fs.existsSync(file) && !file.startsWith(MODULES + path.sep),
  );
  return node === undefined ? ["npm", []] : [node, [cli]];
}

/** npm puts node_modules/.bin first on the PATH of scripts, so that its Node is the one that runs them. */
function requireNode() {
  const own = path.join(MODULES, ".bin", "node");
  if (!fs.existsSync(own)) linkNode(own);
  const platform = `${process.platform}-${process.arch}`;
  const remedy = `install Node.js ${NODE_MAJOR_NEEDED} yourself and run the command again`;
  const isOwn = fs.existsSync(own);
  const version = isOwn ? versionOf(own) : process.versions.node;
  if (version === undefined) fail(`the packaged Node.js does not start on this system (${platform}); ${remedy}`);
  if (Number.parseInt(version, 10) >= NODE_MAJOR_NEEDED) return;
  fail(
    isOwn ? `node_modules holds Node.js ${version}; ${remedy}` : `no Node.js is packaged for ${platform}; ${remedy}`,
  );
}

/** npm 9 and 10 link the Node of this platform, and then drop the link along with the packages of other platforms. */
function linkNode(own) {
  const { optionalDependencies = {} } = JSON.parse(fs.readFileSync(path.join(ROOT, "package.json"), "utf8"));
  const installed = Object.keys(optionalDependencies).find((name) =>
    fs.existsSync(path.join(MODULES, name, "bin/node")),
  );
  if (installed === undefined) return;
  fs.mkdirSync(path.dirname(own), { recursive: true });
  fs.symlinkSync(path.join("..", installed, "bin/node"), own);
}

function versionOf(node) {
  const { status, stdout } = spawnSync(node, ["--version"], { encoding: "utf8" });
  return status === 0 ? stdout.trim().replace(/^v/, "") : undefined;
}

function readOr(file, otherwise) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return otherwise;
  }
}

// Sandbox

function isMissingSandbox() {
  return process.platform === "linux" && !SANDBOX_PLACES.some((file) => fs.existsSync(file));
}

function canInstallSandbox() {
  return process.getuid() === 0 && fs.existsSync("/usr/bin/apt-get");
}

function installSandbox() {
  say("installing bubblewrap, the sandbox …");
  const install = ["install", "-y", "--no-install-recommends", "bubblewrap"];
  // The lists of packages may be absent or too old to name one that still exists.
  if (!aptGet(install) && aptGet(["update"])) aptGet(install);
}

function aptGet(args) {
  const env = { ...process.env, PATH: SYSTEM_PATH, DEBIAN_FRONTEND: "noninteractive" };
  const options = { env, stdio: ["ignore", 2, 2] };
  return spawnSync("/usr/bin/apt-get", ["-q", "-o", "DPkg::Lock::Timeout=120", ...args], options).status === 0;
}

function installCommand() {
  const commands = {
    "/usr/bin/apt-get": "apt-get install bubblewrap",
    "/usr/bin/dnf": "dnf install bubblewrap",
    "/usr/bin/pacman": "pacman -S bubblewrap",
    "/usr/bin/zypper": "zypper install bubblewrap",
    "/sbin/apk": "apk add bubblewrap",
  };
  const manager = Object.keys(commands).find((file) => fs.existsSync(file)) || "/usr/bin/apt-get";
  return `${process.getuid() === 0 ? "" : "sudo "}${commands[manager]}`;
}

// One installer at a time

/** INVARIANT: node_modules is changed by one process at a time; two that delete and write it would mix their files. */
function withInstallLock(work) {
  const owner = JSON.stringify({ pid: process.pid, host: os.hostname(), id: randomUUID() });
  acquire(owner);
  // `process.exit` skips `finally`, but not this.
  process.on("exit", () => {
    if (lockOwner(INSTALL_LOCK) === owner) fs.rmSync(INSTALL_LOCK, { recursive: true, force: true });
  });
  work();
}

function acquire(owner) {
  for (let waitedMs = 0; ; waitedMs += WAIT_STEP_MS) {
    if (takeLock(owner)) return;
    if (waitedMs === 0) say("waiting for another process that installs …");
    if (waitedMs > WAIT_MS_MAX) fail(`gave up waiting; if nothing installs any more, remove ${INSTALL_LOCK}`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_STEP_MS);
  }
}

/** True when the lock is ours. A lock whose owner is dead is taken away first. */
function takeLock(owner) {
  try {
    fs.mkdirSync(INSTALL_LOCK);
    fs.writeFileSync(path.join(INSTALL_LOCK, "owner"), owner);
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") fail(`cannot write to ${ROOT} (${error.code})`);
  }
  const other = lockOwner(INSTALL_LOCK);
  if (isAlive(other)) return false;
  removeDead(other);
  return takeLock(owner);
}

/** Takes the lock aside before it is deleted: a living process may have made a new one meanwhile. */
function removeDead(owner) {
  const aside = `${INSTALL_LOCK}.${process.pid}`;
  try {
    fs.renameSync(INSTALL_LOCK, aside);
    if (lockOwner(aside) !== owner) fs.renameSync(aside, INSTALL_LOCK);
    fs.rmSync(aside, { recursive: true, force: true });
  } catch (error) {
    // Somebody else was faster; the next look shows what is there.
    if (!["ENOENT", "EEXIST", "ENOTEMPTY"].includes(error.code)) throw error;
  }
}

function lockOwner(folder) {
  return readOr(path.join(folder, "owner"), undefined);
}

function isAlive(owner) {
  if (owner === undefined || owner === "") return ageMs(INSTALL_LOCK) < OWNERLESS_MS_MAX;
  // So old a lock is dead even if another process has its number by now.
  if (ageMs(INSTALL_LOCK) > WAIT_MS_MAX) return false;
  const { pid, host } = JSON.parse(owner);
  // Of a process on another machine nothing can be known, so its lock only grows old.
  if (host !== os.hostname()) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== "ESRCH";
  }
}

function ageMs(file) {
  const stats = fs.statSync(file, { throwIfNoEntry: false });
  return stats === undefined ? 0 : Date.now() - stats.mtimeMs;
}
