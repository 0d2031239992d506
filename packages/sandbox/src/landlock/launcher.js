// @ts-check
/**
 * The Landlock launcher: a process that confines itself by Landlock and a system call filter, checks that both hold,
 * and becomes the program of a child. Plain JavaScript that imports nothing of ours, so that it starts fast; it makes
 * system calls through node:ffi.
 */
import { fstatSync, readFileSync, readlinkSync, writeSync } from "node:fs";

/** The first argument that makes the executable run as this launcher. */
export const LAUNCHER_WORD = "sandbox-landlock";

/** The oldest Landlock that keeps a child from signalling others: Linux 6.12. */
const ABI_MIN = 6;
const PLAN_DESCRIPTOR = 3;
const STATUS_DESCRIPTOR = 4;

/** System call numbers of x86-64, the only processor on which this was tried. */
const CALL = {
  close: 3,
  ioctl: 16,
  dup2: 33,
  socket: 41,
  connect: 42,
  bind: 49,
  kill: 62,
  fcntl: 72,
  fchdir: 81,
  fchmod: 91,
  setpgid: 109,
  getpgrp: 111,
  setsid: 112,
  prctl: 157,
  close_range: 436,
  openat2: 437,
  landlock_create_ruleset: 444,
  landlock_add_rule: 445,
  landlock_restrict_self: 446,
};
const NO_ERROR = 0;
const EPERM = 1;
const EACCES = 13;
const AT_FDCWD = -100;
const O_CLOEXEC = 0o2000000;
const O_DIRECTORY = 0o200000;
const O_NONBLOCK = 0o4000;
const O_PATH = 0o10000000;
/**
 * INVARIANT: the paths of rules are opened without following links, so that no child chooses what the next one reaches.
 */
const RESOLVE_NO_LINKS = 0x02 | 0x04;
const ALL_FILE_RIGHTS = 0xffff;
/** Rights that the kernel accepts for something other than a folder. */
const RIGHTS_OF_FILES = 0x1 | 0x2 | 0x4 | 0x4000 | 0x8000;
const ALL_NETWORK_RIGHTS = 0b11;
const ALL_SCOPES = 0b11;
const PR_SET_SECCOMP = 22;
const PR_SET_NO_NEW_PRIVS = 38;
/** The program's own terminal, requests about it, and the rights to read it, write to it and make requests. */
const TIOCSCTTY = 0x540e;
const TIOCGPGRP = 0x540f;
const TIOCSTI = 0x5412;
const TERMINAL_DESCRIPTOR = 0;
const OUTPUT_DESCRIPTOR = 1;
const TERMINAL_RIGHTS = 0x2 | 0x4 | 0x8000;
/** Node.js ignores these signals, and the program would inherit that. */
const SIGPIPE = 13;
const SIGXFSZ = 25;

/**
 * @typedef {{
 *   readonly rules: readonly { readonly path: string, readonly rights: number }[],
 *   readonly hidden: readonly string[],
 *   readonly filter: string,
 *   readonly cwd: string,
 *   readonly program: readonly string[],
 *   readonly environment: readonly string[],
 *   readonly kept: readonly number[],
 *   readonly apart: Readonly<Record<string, string>>,
 *   readonly terminal: import("./refused-calls.ts").OwnTerminal,
 * }} Plan
 */

class Fault extends Error {}

/**
 * Calls the kernel. Memory that was handed over by address must not move, so it is held as long as this process lives.
 */
class Kernel {
  /** @type {any} */
  #ffi;
  /** @type {any} */
  #library;
  /** @type {(...words: bigint[]) => bigint} */
  #syscall;
  /** @type {() => bigint} */
  #errnoLocation;
  /** @type {Buffer[]} */
  #held = [];

  constructor() {
    this.#ffi = process.getBuiltinModule("node:ffi");
    if (this.#ffi === undefined) throw new Fault("this Node.js has no node:ffi, by which Landlock is reached");
    this.#library = new this.#ffi.DynamicLibrary(null);
    const words = Array.from({ length: 7 }, () => "int64");
    this.#syscall = this.#library.getFunction("syscall", { arguments: words, return: "int64" });
    this.#errnoLocation = this.#library.getFunction("__errno_location", { arguments: [], return: "pointer" });
  }

  /**
   * Returns the result, or the negated error number, as the kernel itself does.
   * @param {number} call
   * @param {(number | bigint)[]} words
   */
  call(call, ...words) {
    const padded = [call, ...words, 0, 0, 0, 0, 0, 0].slice(0, 7).map(BigInt);
    const result = Number(this.#syscall(...padded));
    return result === -1 ? -this.#ffi.getInt32(this.#errnoLocation()) : result;
  }

  /**
   * @param {string} what
   * @param {number} call
   * @param {(number | bigint)[]} words
   */
  must(what, call, ...words) {
    const result = this.call(call, ...words);
    if (result < NO_ERROR) throw new Fault(`${what} failed (error ${-result})`);
    return result;
  }

  /** @param {number} bytes */
  memory(bytes) {
    // The garbage collector may move smaller buffers of Node.js.
    const memory = Buffer.from(new ArrayBuffer(bytes));
    this.#held.push(memory);
    return memory;
  }

  /** @param {Uint8Array} memory @returns {bigint} */
  address(memory) {
    return BigInt(this.#ffi.getRawPointer(memory));
  }

  /** @param {string} value */
  text(value) {
    const memory = this.memory(Buffer.byteLength(value) + 1);
    memory.write(value);
    return this.address(memory);
  }

  /** @param {readonly string[]} values */
  texts(values) {
    const list = this.memory((values.length + 1) * 8);
    for (const [index, value] of values.entries()) list.writeBigUInt64LE(this.text(value), index * 8);
    return this.address(list);
  }

  /** @param {string} path @param {number} flags */
  open(path, flags) {
    const how = this.memory(24);
    how.writeBigUInt64LE(BigInt(flags | O_CLOEXEC), 0);
    how.writeBigUInt64LE(BigInt(RESOLVE_NO_LINKS), 16);
    return this.call(CALL.openat2, AT_FDCWD, this.text(path), this.address(how), 24);
  }

  /** @param {number} signal */
  signalByDefault(signal) {
    this.#library.getFunction("signal", { arguments: ["int32", "int64"], return: "int64" })(signal, 0n);
  }

  /**
   * Returns only if it fails, with the error number.
   * @param {readonly string[]} program
   * @param {readonly string[]} environment
   */
  become([file = "", ...args], environment) {
    const shape = { arguments: ["int64", "int64", "int64"], return: "int32" };
    const words = [this.text(file), this.texts([file, ...args]), this.texts(environment)];
    const execve = this.#library.getFunction("execve", shape);
    execve(...words);
    return this.#ffi.getInt32(this.#errnoLocation());
  }
}

/** Becomes the program, or reports why not and exits. Given no plan, it reports the kernel's version of Landlock. */
export function launch() {
  try {
    const kernel = new Kernel();
    // System call numbers differ between processors: elsewhere these would ask for something else.
    if (process.arch !== "x64") throw new Fault(`it is not yet reached on ${process.arch}`);
    requireNoPrivileges();
    const abi = kernel.call(CALL.landlock_create_ruleset, 0, 0, 1);
    if (abi < ABI_MIN) throw new Fault(`it has version ${Math.max(abi, 0)} on this machine, and ${ABI_MIN} is needed`);
    const told = readFileSync(PLAN_DESCRIPTOR, "utf8");
    if (told === "") return void writeSync(STATUS_DESCRIPTOR, `{"abi": ${abi}}\n`);
    const plan = /** @type {Plan} */ (JSON.parse(told));
    requireApart(plan.apart);
    takeTerminal(kernel, plan.terminal);
    enter(kernel, plan.cwd);
    confine(kernel, plan);
    keepOnly(kernel, plan.kept);
    for (const signal of [SIGPIPE, SIGXFSZ]) kernel.signalByDefault(signal);
    writeSync(STATUS_DESCRIPTOR, `{"child-pid": ${process.pid}}\n`);
    throw new Fault(`the program does not start (error ${kernel.become(plan.program, plan.environment)})`);
  } catch (error) {
    const fault = error instanceof Error ? error.message : String(error);
    writeSync(STATUS_DESCRIPTOR, `${JSON.stringify({ fault })}\n`);
    process.exit(1);
  }
}

/** INVARIANT: I8: without namespaces no child is root or has any of root's privileges. */
function requireNoPrivileges() {
  const status = readFileSync("/proc/self/status", "utf8");
  const users = /^Uid:\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)$/m.exec(status)?.slice(1) ?? ["0"];
  if (users.some((user) => Number(user) === 0))
    throw new Fault("the host is root, whom Landlock alone does not confine");
  // Newer systemd lets services of a user inherit CAP_WAKE_ALARM. An inheritable capability is gained only by executing
  // a file that carries it, and not even then under no_new_privs, which is set before anything is started.
  const held = [...status.matchAll(/^Cap(?:Prm|Eff|Amb):\s+([0-9a-f]+)$/gm)].map(([, bits = "?"]) => bits);
  if (held.length !== 3 || held.some((bits) => !/^0+$/.test(bits)))
    throw new Fault("the host has capabilities, which Landlock alone does not confine");
}

/**
 * INVARIANT: I3: if the probe found that namespaces can be made, no program starts in a namespace of the host.
 * @param {Plan["apart"]} apart
 */
function requireApart(apart) {
  for (const [name, ofHost] of Object.entries(apart))
    if (readlinkSync(`/proc/self/ns/${name}`) === ofHost)
      throw new Fault(`the program would be in the host's own namespace (${name})`);
}

/**
 * INVARIANT: I3: a program that gets a terminal is in the foreground of the one that it got. `/dev/tty` then leads
 * nowhere else.
 * @param {Kernel} kernel
 * @param {Plan["terminal"]} terminal
 */
function takeTerminal(kernel, terminal) {
  if (terminal === "none") return;
  if (terminal === "of the program") {
    kernel.must("giving the program its input", CALL.dup2, OUTPUT_DESCRIPTOR, TERMINAL_DESCRIPTOR);
    kernel.must("beginning a session", CALL.setsid);
    kernel.must("taking the terminal", CALL.ioctl, TERMINAL_DESCRIPTOR, TIOCSCTTY, 0);
  }
  const group = kernel.memory(4);
  kernel.must("looking at the terminal", CALL.ioctl, TERMINAL_DESCRIPTOR, TIOCGPGRP, kernel.address(group));
  if (group.readInt32LE() !== kernel.call(CALL.getpgrp)) throw new Fault("the terminal belongs to other processes");
}

/** @param {Kernel} kernel @param {string} cwd */
function enter(kernel, cwd) {
  const folder = kernel.open(cwd, O_PATH | O_DIRECTORY);
  if (folder < 0) throw new Fault(`the folder of the program cannot be opened (error ${-folder})`);
  kernel.must("changing to the folder of the program", CALL.fchdir, folder);
}

/** @param {Kernel} kernel @param {Plan} plan */
function confine(kernel, plan) {
  const attributes = kernel.memory(24);
  for (const [index, mask] of [ALL_FILE_RIGHTS, ALL_NETWORK_RIGHTS, ALL_SCOPES].entries())
    attributes.writeBigUInt64LE(BigInt(mask), index * 8);
  const ruleset = kernel.must("making rules", CALL.landlock_create_ruleset, kernel.address(attributes), 24, 0);
  for (const rule of plan.rules) addRule(kernel, ruleset, rule);
  if (plan.terminal !== "none") allow(kernel, ruleset, TERMINAL_DESCRIPTOR, TERMINAL_RIGHTS);
  const stream = kernel.must("making a socket", CALL.socket, 2, 1 | O_CLOEXEC, 0);
  kernel.must("giving up new privileges", CALL.prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  kernel.must("putting rules in force", CALL.landlock_restrict_self, ruleset, 0);
  tryLandlock(kernel, stream, plan.hidden);
  const program = Buffer.from(plan.filter, "base64");
  const filter = kernel.memory(program.length);
  filter.set(program);
  const about = kernel.memory(16);
  about.writeUInt16LE(program.length / 8, 0);
  about.writeBigUInt64LE(kernel.address(filter), 8);
  kernel.must("putting the filter in force", CALL.prctl, PR_SET_SECCOMP, 2, kernel.address(about), 0, 0);
  tryFilter(kernel, plan.terminal);
}

/** @param {Kernel} kernel @param {number} ruleset @param {Plan["rules"][number]} rule */
function addRule(kernel, ruleset, { path, rights }) {
  const opened = kernel.open(path, O_PATH);
  // A path that is gone, has become a link or cannot be reached grants nothing.
  if (opened < 0) return;
  const allowed = fstatSync(opened).isDirectory() ? rights : rights & RIGHTS_OF_FILES;
  if (allowed !== 0) allow(kernel, ruleset, opened, allowed);
  kernel.must("closing a folder", CALL.close, opened);
}

/** @param {Kernel} kernel @param {number} ruleset @param {number} opened @param {number} rights */
function allow(kernel, ruleset, opened, rights) {
  const rule = kernel.memory(12);
  rule.writeBigUInt64LE(BigInt(rights), 0);
  rule.writeInt32LE(opened, 8);
  kernel.must("adding a rule", CALL.landlock_add_rule, ruleset, 1, kernel.address(rule), 0);
}

/** INVARIANT: I3: each start checks the confinement on the very process that becomes the program. */
function tryLandlock(
  /** @type {Kernel} */ kernel,
  /** @type {number} */ stream,
  /** @type {readonly string[]} */ hidden,
) {
  const address = kernel.memory(16);
  address.writeUInt16LE(2, 0);
  address.writeUInt16BE(9, 2);
  address.writeUInt32BE(0x7f000001, 4);
  refused("to connect", kernel.call(CALL.connect, stream, kernel.address(address), 16), EACCES);
  refused("to listen", kernel.call(CALL.bind, stream, kernel.address(address), 16), EACCES);
  refused("to signal its parent", kernel.call(CALL.kill, process.ppid, 0), EPERM);
  for (const path of hidden)
    if (kernel.open(path, O_NONBLOCK) >= 0) throw new Fault(`a child could open ${path}, which is hidden from it`);
}

/** @param {Kernel} kernel @param {Plan["terminal"]} terminal */
function tryFilter(kernel, terminal) {
  refused("a socket", kernel.call(CALL.socket, 1, 1, 0), EPERM);
  if (terminal !== "of the program") refused("to leave its group", kernel.call(CALL.setpgid, 0, 0), EPERM);
  // Without the filter, the kernel would look at the address first.
  if (terminal !== "none")
    refused("to type into its terminal", kernel.call(CALL.ioctl, TERMINAL_DESCRIPTOR, TIOCSTI, 0), EPERM);
  refused("to change a mode", kernel.call(CALL.fchmod, -1, 0), EPERM);
}

/** @param {string} what @param {number} result @param {number} error */
function refused(what, result, error) {
  if (result !== -error) throw new Fault(`a child was not refused ${what} (${result})`);
}

/**
 * INVARIANT: I8: the program has its three descriptors and those that it is handed, and no other.
 * @param {Kernel} kernel
 * @param {readonly number[]} kept
 */
function keepOnly(kernel, kept) {
  kernel.must("closing descriptors", CALL.close_range, 3, 0xffffffff, 4);
  for (const descriptor of [0, 1, 2, ...kept]) kernel.must("keeping a descriptor", CALL.fcntl, descriptor, 2, 0);
}
