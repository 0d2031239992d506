/**
 * Prepares a fresh checkout: packages, Node 26 and bubblewrap. npm calls it before start, test, bench and check. It is
 * plain JavaScript that Node 18 can parse. If nothing is missing, it prints nothing and takes milliseconds; otherwise
 * it prints to stderr only, because stdout belongs to the command that follows.
 */
"use strict";

const { spawnSync } = require("node:child_process");
const { createHash, randomUUID } = require("node:crypto");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const ROOT = path.resolve(__dirname, "..");
const MODULES = path.join(ROOT, "node_modules");
/** Names the lock file, platform and architecture that node_modules was installed for. */
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
/** A lock without an owner that is older than this was left by a process that died between two system calls. */
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
      // The previous holder of the lock may have done the work.
      if (isMissingPackages()) installPackages();
      if (installsSandbox && isMissingSandbox()) installSandbox();
    });
  }
  // A failure is no reason to stop: the runtime itself finds out what confines programs here, and runs none without.
  if (isMissingSandbox()) {
    say(`bubblewrap, the sandbox, is missing; ${withoutSandbox()}. Install it: ${installCommand()}`);
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
    // In a read-only checkout the check is repeated each time.
    if (error.code !== "EROFS" && error.code !== "EACCES") throw error;
  }
}

function wantedStamp() {
  const digest = createHash("sha256")
    .update(fs.readFileSync(path.join(ROOT, "package-lock.json")))
    .digest("hex");
  return `${digest} ${process.platform}-${process.arch}\n`;
}

/**
 * True if `npm ci` or `npm install` already installed exactly what the lock file names, according to npm's own list.
 */
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
  // Explicit, because NODE_ENV=production would leave out the packages that run and test this.
  const options = ["--no-audit", "--no-fund", "--include=dev", "--include=optional", "--loglevel=error"];
  const { status, error } = spawnSync(command, [...npm, "ci", ...options], { cwd: ROOT, stdio: ["ignore", 2, 2] });
  if (error !== undefined && error.code === "ENOENT") fail("npm is not installed; it comes with Node.js");
  if (status !== 0) fail(`npm ci failed${error === undefined ? "" : ` (${error.message})`}; its reasons stand above`);
  requireNode();
  writeStamp();
}

/** The npm that called us, run by a Node that `npm ci` does not delete meanwhile. */
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

/**
 * npm 9 and 10 create the link to the Node of this platform, and then remove it together with the packages of other
 * platforms.
 */
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

function withoutSandbox() {
  if (process.getuid() === 0) return "without it nothing is executed for root";
  return "without it Linux 6.12 or newer confines programs by Landlock, which refuses more, and an older one runs none";
}

function canInstallSandbox() {
  return process.getuid() === 0 && fs.existsSync("/usr/bin/apt-get");
}

function installSandbox() {
  say("installing bubblewrap, the sandbox …");
  const install = ["install", "-y", "--no-install-recommends", "bubblewrap"];
  // The package lists may be missing, or so old that they name versions that no longer exist.
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

/**
 * INVARIANT: node_modules is changed by one process at a time; two that delete and write at once would mix their files.
 */
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

/** True if this process now holds the lock. A lock whose owner is dead is removed first. */
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

/** Renames the lock before deleting it, because a living process may have made a new one meanwhile. */
function removeDead(owner) {
  const aside = `${INSTALL_LOCK}.${process.pid}`;
  try {
    fs.renameSync(INSTALL_LOCK, aside);
    if (lockOwner(aside) !== owner) fs.renameSync(aside, INSTALL_LOCK);
    fs.rmSync(aside, { recursive: true, force: true });
  } catch (error) {
    // Another process was faster; the next attempt will see its result.
    if (!["ENOENT", "EEXIST", "ENOTEMPTY"].includes(error.code)) throw error;
  }
}

function lockOwner(folder) {
  return readOr(path.join(folder, "owner"), undefined);
}

function isAlive(owner) {
  if (owner === undefined || owner === "") return ageMs(INSTALL_LOCK) < OWNERLESS_MS_MAX;
  // A lock this old is dead even if its process number is in use again.
  if (ageMs(INSTALL_LOCK) > WAIT_MS_MAX) return false;
  const { pid, host } = JSON.parse(owner);
  // Nothing can be known about a process on another machine, so its lock can only expire.
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
