/**
 * Starts a process by `posix_spawn` of the C library. Node.js copies itself for that: the more memory it holds the longer
 * that takes, and each page that it writes to afterwards costs it a fault. Here the child borrows the memory until it
 * becomes its program.
 */
import assert from "node:assert/strict";
import { constants } from "node:os";
import { getSystemErrorName } from "node:util";
import { cLibrary, foreignFunctions } from "../foreign-functions.ts";

const AF_UNIX = 1;
const SOCK_STREAM_CLOEXEC = 0o2000001;
const WNOHANG = 1;
const SETSIGDEF = 0x04;
const SETSIGMASK = 0x08;
const SETSID = 0x80;
/** Bytes for one of the C library's types, the largest of which has 336 of them. */
const STRUCT_BYTES = 512;
/** Bytes of a set of signals. */
const SIGNALS_BYTES = 128;

const INT = "int32";
const ADDRESS = "uint64";

/** One descriptor of the new process, as a copy of one of this process. */
export interface GivenDescriptor {
  readonly descriptor: number;
  readonly source: number;
}

export interface ProcessStart {
  /** An absolute path. */
  readonly program: string;
  readonly args: readonly string[];
  readonly given: readonly GivenDescriptor[];
  /** Whether the process leads a session of its own. */
  readonly detached: boolean;
}

export interface ProcessEnd {
  readonly exitCode: number | null;
  /** The signal that ended the process. */
  readonly signalCode: NodeJS.Signals | null;
}

export class PosixSpawn {
  readonly #library = cLibrary();
  readonly #addressOf = foreignFunctions().getRawPointer;
  readonly #errnoLocation = this.#library.getFunction("__errno_location", { arguments: [], return: ADDRESS });
  readonly #spawn = this.#function("posix_spawn", Array<string>(6).fill(ADDRESS));
  readonly #waitpid = this.#function("waitpid", [INT, ADDRESS, INT]);
  readonly #socketpair = this.#function("socketpair", [INT, INT, INT, ADDRESS]);
  readonly #initActions = this.#function("posix_spawn_file_actions_init", [ADDRESS]);
  readonly #destroyActions = this.#function("posix_spawn_file_actions_destroy", [ADDRESS]);
  readonly #addDup2 = this.#function("posix_spawn_file_actions_adddup2", [ADDRESS, INT, INT]);
  readonly #addClose = this.#function("posix_spawn_file_actions_addclose", [ADDRESS, INT]);
  readonly #addCloseFrom = this.#function("posix_spawn_file_actions_addclosefrom_np", [ADDRESS, INT]);
  readonly #addChdir = this.#function("posix_spawn_file_actions_addchdir_np", [ADDRESS, ADDRESS]);
  readonly #root = textOf("/");
  readonly #noSignals = new Uint8Array(SIGNALS_BYTES);
  readonly #allSignals = new Uint8Array(SIGNALS_BYTES).fill(0xff);
  readonly #attached = this.#attributes(SETSIGDEF | SETSIGMASK);
  readonly #detached = this.#attributes(SETSIGDEF | SETSIGMASK | SETSID);
  /** INVARIANT: memory that the C library reads is held here until it has done so; else it might be collected. */
  readonly #held: unknown[] = [];

  /**
   * Starts a program in `/`, without any variables, with these descriptors. Returns its process number, or the number of
   * an error below zero.
   */
  start({ program, args, given, detached }: ProcessStart): number {
    const path = textOf(program);
    const words = [path, ...args.map(textOf)];
    const list = BigUint64Array.from([...words.map((word) => this.#at(word)), 0n]);
    const noVariables = new BigUint64Array(1);
    const actions = new Uint8Array(STRUCT_BYTES);
    const pid = new Int32Array(1);
    this.#held.push(words, list, noVariables);
    assert.equal(this.#initActions(this.#at(actions)), 0);
    try {
      const attributes = detached ? this.#detached : this.#attached;
      const [target, addresses] = [
        this.#at(actions),
        [path, actions, attributes, list, noVariables].map(this.#at, this),
      ];
      const error = this.#giveDescriptors(target, given) || this.#spawn(this.#at(pid), ...addresses);
      return error === 0 ? (pid[0] ?? 0) : -error;
    } finally {
      this.#destroyActions(this.#at(actions));
      this.#held.length = 0;
    }
  }

  /** Two connected sockets that no child inherits by itself. Throws with the code of the system's error. */
  socketPair(): readonly [number, number] {
    const pair = new Int32Array(2);
    if (this.#socketpair(AF_UNIX, SOCK_STREAM_CLOEXEC, 0, this.#at(pair)) !== 0) {
      const code = getSystemErrorName(-foreignFunctions().getInt32(this.#errnoLocation() as bigint));
      throw Object.assign(new Error(`socketpair ${code}`), { code });
    }
    return [pair[0] ?? -1, pair[1] ?? -1];
  }

  /**
   * How a child has ended, after which its number is free for another process; null if it runs. INVARIANT: I7: if
   * somebody else in this process has asked before, nobody knows, and that is no success.
   */
  endOf(pid: number): ProcessEnd | null {
    const status = new Int32Array(1);
    const ended = this.#waitpid(pid, this.#at(status), WNOHANG);
    if (ended === 0) return null;
    return ended === pid ? endOfStatus(status[0] ?? 0) : { exitCode: 255, signalCode: null };
  }

  /**
   * Returns the number of an error, or 0. INVARIANT: no other descriptor of this process reaches the child, not even one
   * opened without close-on-exec, as terminals are. A source that lies where another descriptor is to be is moved first.
   */
  #giveDescriptors(actions: bigint, given: readonly GivenDescriptor[]): number {
    const targets = new Set(given.map(({ descriptor }) => descriptor));
    const end = 1 + Math.max(...targets);
    const unused = Array.from({ length: end }, (_, descriptor) => descriptor).filter((each) => !targets.has(each));
    const sources = new Set(given.map(({ source }) => source));
    const movedTo = new Map<number, number>();
    // Any number is free in the child that is neither a target nor a source. The lowest ones are below every limit.
    let free = end;
    for (const source of sources) {
      if (source >= end) continue;
      while (sources.has(free)) free += 1;
      movedTo.set(source, free);
      free += 1;
    }
    const steps = [
      () => this.#addChdir(actions, this.#at(this.#root)),
      ...[...movedTo].map(
        ([source, moved]) =>
          () =>
            this.#addDup2(actions, source, moved),
      ),
      ...given.map(
        ({ descriptor, source }) =>
          () =>
            this.#addDup2(actions, movedTo.get(source) ?? source, descriptor),
      ),
      ...unused.map((descriptor) => () => this.#addClose(actions, descriptor)),
      () => this.#addCloseFrom(actions, end),
    ];
    return steps.reduce((error, step) => error || step(), 0);
  }

  /** Node.js ignores SIGPIPE; a program begins with no signal ignored or held back. */
  #attributes(flags: number): Uint8Array {
    const attributes = new Uint8Array(STRUCT_BYTES);
    const errors = [
      this.#function("posix_spawnattr_init", [ADDRESS])(this.#at(attributes)),
      this.#function("posix_spawnattr_setflags", [ADDRESS, "int16"])(this.#at(attributes), flags),
      this.#function("posix_spawnattr_setsigmask", [ADDRESS, ADDRESS])(this.#at(attributes), this.#at(this.#noSignals)),
      this.#function("posix_spawnattr_setsigdefault", [ADDRESS, ADDRESS])(
        this.#at(attributes),
        this.#at(this.#allSignals),
      ),
    ];
    assert.deepEqual(errors, [0, 0, 0, 0]);
    return attributes;
  }

  #function(name: string, types: string[]): (...args: readonly (bigint | number)[]) => number {
    const called = this.#library.getFunction(name, { arguments: types, return: INT });
    return (...args) => Number(called(...args));
  }

  #at({ buffer, byteOffset }: Uint8Array | Int32Array | BigUint64Array): bigint {
    return this.#addressOf(buffer as ArrayBuffer) + BigInt(byteOffset);
  }
}

function endOfStatus(status: number): ProcessEnd {
  const number = status & 0x7f;
  if (number === 0) return { exitCode: (status >> 8) & 0xff, signalCode: null };
  const named = Object.entries(constants.signals).find(([, value]) => value === number);
  // Signals for real time have no name in Node.js.
  return { exitCode: null, signalCode: (named?.[0] ?? `SIG${number}`) as NodeJS.Signals };
}

/** INVARIANT: a text ends where its string ends, which C would not see with a zero character in it. */
function textOf(text: string): Uint8Array {
  assert(!text.includes("\0"), "an argument contains a zero character");
  return new TextEncoder().encode(`${text}\0`);
}
