/** A started process, as far as the sandbox uses it. Node's own ChildProcess is one. */
import type { IOType } from "node:child_process";
import type { EventEmitter } from "node:events";
import type { Readable, Writable } from "node:stream";

export interface SpawnRequest {
  /** An absolute path. */
  readonly program: string;
  readonly args: readonly string[];
  /** Whether the process leads a session, and so a process group, of its own. */
  readonly detached: boolean;
  /** What the process gets as its descriptors: a new pipe, nothing, or a descriptor of this process. */
  readonly stdio: readonly (IOType | number)[];
}

/** How this process starts others. */
export interface SpawnWay {
  readonly by: "posix_spawn" | "Node.js";
  /** Why it is not by `posix_spawn` although it could be on this system, only slower; null if nothing is amiss. */
  readonly fault: string | null;
}

/**
 * Emits `exit` when it has ended, `close` once all pipes are closed too, and instead of both `error` with the reason if it
 * could not be started.
 */
export interface SpawnedProcess extends EventEmitter {
  /** Undefined if the process could not be started. */
  readonly pid?: number | undefined;
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** This process's ends of the pipes, by descriptor of the child; null where it has none. */
  readonly stdio: readonly (Readable | Writable | null | undefined)[];
  /** Null as long as it runs, and if a signal ended it. */
  readonly exitCode: number | null;
  readonly signalCode: NodeJS.Signals | null;
  /** Whether `kill` reached it at least once, with whatever signal. */
  readonly killed: boolean;
  /** False if the process has ended or may not be signalled. */
  kill(signal: NodeJS.Signals): boolean;
  /** Lets this process end while that one runs. Its pipes are not affected. */
  unref(): void;
}
