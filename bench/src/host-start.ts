/** Starts the real host over a journal, and measures from its process to the line that says that it accepts calls. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AgentClient, LogMemory, OperatorClient } from "@femtoclaw/client";
import type { Subject } from "./measurement.ts";
import { noopFolders } from "./noop-folders.ts";

/** The command that starts a host of this build: a program and its first arguments. */
export type HostCommand = readonly [program: string, ...args: string[]];

export interface HostStart {
  readonly readyMs: number;
  /** CPU time of all threads until then; null if the system does not reveal that of other processes. */
  readonly cpuUs: number | null;
}

/** Milliseconds under load before a host is ended. */
const LOAD_MS = 250;
const MESSAGE = `${JSON.stringify({ message: { content: "a message of the bench" } })}\n`;
const MESSAGES = 20_000;

/** Processes of the bench that still run. They end with it, also where a measurement fails. */
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Additions to the configuration that all hosts of the bench share. */
export interface HostSetup {
  readonly capabilities?: readonly string[];
  /** Folders that calls may read and write, instead of those of `noopConfiguration`. */
  readonly folders?: { readonly read: readonly string[]; readonly write: readonly string[] };
  /** Lines of TOML before the first table, and tables after the last. */
  readonly top?: readonly string[];
  readonly tables?: readonly string[];
}

/** Aims apply only to the executable, which people install; only developers start a host from the sources. */
export function aimsOfHost<A>({ surface }: Pick<Subject, "surface">, aims: readonly A[]): readonly A[] {
  return surface === "executable" ? aims : [];
}

export class BenchHost {
  readonly #command: HostCommand;
  readonly #directory: string;

  /** Uses the state directory and the rules of `noopConfiguration`, but not its capability. */
  constructor(command: HostCommand, directory: string, setup: HostSetup = {}) {
    const { capabilities = [], folders, top = [], tables = [] } = setup;
    this.#command = command;
    this.#directory = directory;
    const { read, write } = folders ?? noopFolders(directory);
    const lines = [
      'workspace = "workspace"',
      ...top,
      "[capabilities]",
      ...capabilities.map((name) => `${name} = true`),
      "[allow]",
      `read = ${JSON.stringify(read)}`,
      `write = ${JSON.stringify(write)}`,
      "[memory]",
      'path = "state"',
      "[limits]",
      "queue = 4096",
      "[host]",
      'runtime_dir = "run"',
      ...tables,
    ];
    writeFileSync(this.#configuration, `${lines.join("\n")}\n`, { mode: 0o600 });
    mkdirSync(this.home, { recursive: true, mode: 0o700 });
  }

  /** Makes the next start compile everything anew. */
  forgetCompiledCode(): void {
    rmSync(this.home, { recursive: true });
    mkdirSync(this.home, { mode: 0o700 });
  }

  /** Starts a host, loads it with messages, and ends it, in order or with SIGKILL while it writes. */
  async live(end: "SIGTERM" | "SIGKILL"): Promise<HostStart> {
    const host = await this.start();
    const load = this.#spawn(["send"], "ignore");
    load.stdin?.on("error", () => undefined).end(MESSAGE.repeat(MESSAGES));
    await new Promise((resolve) => setTimeout(resolve, LOAD_MS));
    const ended = once(load, "exit");
    load.kill("SIGKILL");
    await Promise.all([host.end(end), ended]);
    return host.started;
  }

  /** Starts a host and waits until it accepts calls. */
  async start(): Promise<RunningHost> {
    const began = performance.now();
    const host = this.#spawn(["up"], "pipe");
    const ready = once(host.stdout ?? host, "data");
    const failed = once(host, "exit").then(([code]) => {
      throw new Error(`the host of the bench ended with exit code ${code}`);
    });
    await Promise.race([ready, failed]);
    failed.catch(() => undefined);
    return new RunningHost(host, began);
  }

  /** A connection of an agent, which is a session of its own. */
  async connect(): Promise<AgentClient> {
    return await AgentClient.connect(this.place, this.#memory);
  }

  async operator(): Promise<OperatorClient> {
    return await OperatorClient.connect(this.place, this.#memory);
  }

  /** The command and environment of a further process of this FemtoClaw with the same configuration. */
  commandOf(args: readonly string[]): { readonly command: HostCommand; readonly env: Record<string, string> } {
    return {
      command: [...this.#command, "--config", this.#configuration, ...args],
      env: { PATH: process.env["PATH"] ?? "", HOME: this.home },
    };
  }

  /** The folder of its sockets. */
  get place(): string {
    return join(this.#directory, "run");
  }

  /** Belongs to the bench alone, so that measuring leaves nothing in the user's home. */
  get #memory(): LogMemory {
    const warn = (reason: string): void => process.emitWarning(reason);
    return new LogMemory({ environment: { HOME: this.home }, place: this.place, warn });
  }

  get #configuration(): string {
    return join(this.#directory, "femtoclaw.toml");
  }

  /** Belongs to the host alone, so that it neither sees nor touches the user's home. */
  get home(): string {
    return join(this.#directory, "home");
  }

  #spawn(args: readonly string[], stdout: "pipe" | "ignore"): ChildProcess {
    const { command, env } = this.commandOf(["--json", "--quiet", ...args]);
    const [program, ...rest] = command;
    const child = spawn(program, rest, { stdio: ["pipe", stdout, "ignore"], env });
    running.add(child);
    child.once("exit", () => running.delete(child));
    return child;
  }
}

/** A host that accepts calls. */
export class RunningHost {
  readonly #child: ChildProcess;
  /** When its process was started, by `performance.now()`. */
  readonly beganMs: number;
  readonly started: HostStart;

  constructor(child: ChildProcess, beganMs: number) {
    this.#child = child;
    this.beganMs = beganMs;
    this.started = { readyMs: performance.now() - beganMs, cpuUs: cpuUsOf(child) };
  }

  /** CPU time so far, of all threads. */
  get cpuUs(): number | null {
    return cpuUsOf(this.#child);
  }

  /** Bytes of memory that would be free without it: of shared memory, only its part counts. */
  get memoryBytes(): number | null {
    try {
      const [, kib] = /^Pss: +(\d+) kB$/m.exec(readFileSync(`/proc/${this.#child.pid}/smaps_rollup`, "latin1")) ?? [];
      return kib === undefined ? null : Number(kib) * 1_024;
    } catch {
      return null;
    }
  }

  /** Ends it, waits for that, and returns how many milliseconds it took. */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<number> {
    const ended = once(this.#child, "exit");
    const began = performance.now();
    this.#child.kill(signal);
    await ended;
    return performance.now() - began;
  }
}

/** Linux counts in hundredths of a second, however the kernel was built. */
const TICK_US = 10_000;

function cpuUsOf({ pid }: ChildProcess): number | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) * TICK_US;
  } catch {
    return null;
  }
}
