/** A process started by the C library. It does what Node's ChildProcess does, in all that the sandbox uses. */
import { EventEmitter } from "node:events";
import { Socket } from "node:net";
import { constants } from "node:os";
import { getSystemErrorName } from "node:util";
import { ChildDescriptors } from "./child-descriptors.ts";
import type { PosixSpawn, ProcessEnd } from "./posix-spawn.ts";
import type { SpawnedProcess, SpawnRequest } from "./spawned-process.ts";

/** LIMIT: milliseconds after which ended processes are looked for even if the kernel did not tell of one. */
const LOOK_MS = 10_000;

/** What may be different at the next try is reported by an event. */
const EVENTS: readonly string[] = ["EACCES", "EAGAIN", "ENOENT"];

export class DirectProcess extends EventEmitter implements SpawnedProcess {
  readonly pid: number | undefined;
  readonly stdio: readonly (Socket | null)[];
  #end: ProcessEnd | null = null;
  #killed = false;
  /** The pipes that are not closed yet, and the process. */
  #open = 1;

  /** Throws with the code of a system error, as `spawn` of Node.js does, also of one that its pipes met. */
  constructor(posix: PosixSpawn, { stdio, ...request }: SpawnRequest) {
    super();
    const descriptors = new ChildDescriptors(posix, stdio);
    const { given, pipes } = descriptors;
    let pid = 0;
    RUNNING.listen(posix);
    try {
      pid = posix.start({ ...request, given });
    } finally {
      descriptors.closeForChild();
      if (pid <= 0) descriptors.closePipes();
    }
    if (pid > 0) {
      this.pid = pid;
      RUNNING.add(posix, pid, this);
      this.stdio = stdio.map((_, descriptor) => this.#streamOf(descriptor, pipes.get(descriptor)));
      return;
    }
    const error = spawnError(pid);
    if (!EVENTS.includes(error.code)) throw error;
    this.pid = undefined;
    this.stdio = stdio.map(() => null);
    process.nextTick(() => this.emit("error", error));
  }

  get stdin(): Socket | null {
    return this.stdio[0] ?? null;
  }

  get stdout(): Socket | null {
    return this.stdio[1] ?? null;
  }

  get stderr(): Socket | null {
    return this.stdio[2] ?? null;
  }

  get exitCode(): number | null {
    return this.#end?.exitCode ?? null;
  }

  get signalCode(): NodeJS.Signals | null {
    return this.#end?.signalCode ?? null;
  }

  get killed(): boolean {
    return this.#killed;
  }

  /** INVARIANT: a process keeps its number until its end is known here, so no other process is signalled. */
  kill(signal: NodeJS.Signals): boolean {
    if (this.pid === undefined || this.#end !== null) return false;
    try {
      process.kill(this.pid, signal);
    } catch {
      // It belongs to another user by now.
      return false;
    }
    this.#killed = true;
    return true;
  }

  unref(): void {
    RUNNING.unref(this);
  }

  /** Called once, when it is known how the process ended. */
  ended(end: ProcessEnd): void {
    this.#end = end;
    this.stdin?.destroy();
    this.emit("exit");
    // A stream that nobody reads never comes to its end.
    process.nextTick(() => {
      for (const stream of this.stdio) if (stream?.listenerCount("data") === 0) stream.resume();
    });
    this.#closeOne();
  }

  #streamOf(descriptor: number, pipe: number | undefined): Socket | null {
    if (pipe === undefined) return null;
    this.#open += 1;
    const stream = new Socket({ fd: pipe, readable: descriptor > 0, writable: true });
    return stream.once("close", () => this.#closeOne());
  }

  #closeOne(): void {
    this.#open -= 1;
    if (this.#open === 0) this.emit("close");
  }
}

/** The error with this number, below zero. */
function spawnError(number: number): Error & { readonly code: string } {
  // The C library calls a descriptor above the limit of open files a bad one, and Node.js calls it invalid.
  const code = number === -constants.errno.EBADF ? "EINVAL" : getSystemErrorName(number);
  return Object.assign(new Error(`spawn ${code}`), { code });
}

/** The processes whose end is not known. Those that are waited for keep the event loop going. */
class RunningProcesses {
  readonly #processes = new Map<number, DirectProcess>();
  readonly #waitedFor = new Set<DirectProcess>();
  #timer: NodeJS.Timeout | null = null;
  #isListening = false;

  /** INVARIANT: called before a process is started, because the kernel reports an end once, to those who listen then. */
  listen(posix: PosixSpawn): void {
    if (!this.#isListening) process.on("SIGCHLD", () => this.#look(posix));
    this.#isListening = true;
  }

  add(posix: PosixSpawn, pid: number, started: DirectProcess): void {
    this.#processes.set(pid, started);
    this.#waitedFor.add(started);
    this.#timer ??= setInterval(() => this.#look(posix), LOOK_MS);
    this.#timer.ref();
  }

  unref(running: DirectProcess): void {
    this.#waitedFor.delete(running);
    if (this.#waitedFor.size === 0) this.#timer?.unref();
  }

  #look(posix: PosixSpawn): void {
    for (const [pid, running] of this.#processes) {
      const end = posix.endOf(pid);
      if (end === null) continue;
      this.#processes.delete(pid);
      this.unref(running);
      running.ended(end);
    }
    if (this.#processes.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}

const RUNNING = new RunningProcesses();
