/**
 * What is looked at: an executable, run from outside as anybody would run it, in a folder of its own with a
 * home, a configuration and a state directory that nobody else uses.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { FemtoError } from "@femtoclaw/protocol";

/** How the executable is started: the file, and what stands before the arguments of each call. */
export type Command = readonly [file: string, ...prefix: string[]];

export interface Finished {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Another executable than the one that is looked at, such as where that was installed. */
  readonly program?: string;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

export interface RunningHost {
  readonly pid: number;
  /** Milliseconds from the start of the process to the line that says ready. */
  readonly readyMs: number;
  readonly log: () => string;
  /** Resolves with the exit code, or with the signal. */
  readonly ended: Promise<number | string>;
  kill(signal: NodeJS.Signals): void;
}

/** LIMIT: time for one command, or for a host to be ready, on a machine that is busy; what has not ended by then is ended, and has no exit code. */
const COMMAND_MS = 900_000;

export class Place implements AsyncDisposable {
  /** Short, because sockets lie below it, and their paths may not be long. */
  readonly root: string;
  readonly state: string;
  readonly sockets: string;
  readonly environment: Record<string, string>;
  readonly #command: Command;
  readonly #children = new Set<Child>();

  constructor(command: Command, configuration: string, environment: Readonly<Record<string, string>> = {}) {
    this.#command = command;
    this.root = realpathSync(mkdtempSync("/tmp/fcc-"));
    this.state = join(this.root, "state");
    this.sockets = join(this.root, "run");
    for (const folder of ["p/out", "p/asked", "p/secrets", "h", "x"]) {
      mkdirSync(join(this.root, folder), { recursive: true, mode: 0o700 });
    }
    this.write("p/secrets/token.txt", "a secret\n");
    this.write("p/notes.txt", "some notes\n");
    this.environment = {
      PATH: "/usr/bin:/bin",
      HOME: join(this.root, "h"),
      XDG_RUNTIME_DIR: join(this.root, "x"),
      FEMTOCLAW_CONFIG: this.write("p/femtoclaw.toml", configuration),
      ...environment,
    };
  }

  write(name: string, content: string | Uint8Array): string {
    const path = join(this.root, name);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  }

  /** All of it, to a user as whom commands are run. */
  handTo({ uid, gid }: { readonly uid: number; readonly gid: number }): void {
    // Outside of the workspace: where calls could read, nothing is exported to.
    mkdirSync(join(this.root, "exported"), { mode: 0o700 });
    const paths = readdirSync(this.root, { recursive: true }).map((path) => join(this.root, String(path)));
    for (const path of [this.root, ...paths]) chownSync(path, uid, gid);
  }

  async run(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    const { input = "", environment = {}, program } = options;
    const child = this.#spawn(args, environment, program === undefined ? this.#command : [program]);
    const [stdout, stderr] = [gather(child.stdout), gather(child.stderr)];
    const late = setTimeout(() => child.kill("SIGKILL"), COMMAND_MS);
    child.stdin.on("error", ignoreBrokenPipe).end(input);
    try {
      const [exit] = (await once(child, "close")) as [number | null];
      return { exit, stdout: stdout(), stderr: stderr() };
    } finally {
      // Also if it could not be started, because the timer would keep this process alive.
      clearTimeout(late);
    }
  }

  /** What a command prints with `--json`; a command that prints no JSON is a failed observation. */
  async json<T>(args: readonly string[], options: RunOptions = {}): Promise<T & { readonly exit: number | null }> {
    const { exit, stdout, stderr } = await this.run(["--json", ...args], options);
    try {
      return { ...(JSON.parse(stdout) as T), exit };
    } catch {
      throw failed(`\`${args.join(" ")}\` ended with ${exit} and printed no JSON: ${(stderr || stdout).slice(0, 300)}`);
    }
  }

  /** A command that goes on while others run; whatever it says is dropped. */
  begin(args: readonly string[]): { readonly ended: Promise<unknown>; kill(): void } {
    const child = this.#spawn(args, {});
    child.stdin.on("error", ignoreBrokenPipe).end();
    child.stdout.resume();
    child.stderr.resume();
    return { ended: once(child, "close"), kill: () => child.kill("SIGKILL") };
  }

  /** A command that is fed line by line and whose output is gathered; for loads that are cut off. */
  stream(args: readonly string[], input: string): { readonly output: () => string; readonly ended: Promise<unknown> } {
    const child = this.#spawn(args, {});
    const output = gather(child.stdout);
    child.stderr.resume();
    child.stdin.on("error", ignoreBrokenPipe).end(input);
    return { output, ended: once(child, "close") };
  }

  /** A host in the foreground, once it says that it is ready. */
  async up(environment: Readonly<Record<string, string>> = {}): Promise<RunningHost> {
    const beganMs = performance.now();
    const child = this.#spawn(["--json", "up"], environment);
    child.stdin.on("error", ignoreBrokenPipe);
    const [said, log] = [gather(child.stdout), gather(child.stderr)];
    const ended = once(child, "close").then(([code, signal]) => (code ?? signal) as number | string);
    const ready = new Promise<true>((resolve) => {
      child.stdout.on("data", () => {
        if (said().includes('"ready"')) resolve(true);
      });
    });
    const late = setTimeout(() => child.kill("SIGKILL"), COMMAND_MS);
    const first = await Promise.race([ready, ended]).finally(() => clearTimeout(late));
    // What it says on stdout begins with the code of the fault.
    const why = said().slice(0, 2_000) || log().slice(-400);
    if (first !== true) throw failed(`the host ended with ${first} before it was ready: ${why}`);
    const readyMs = performance.now() - beganMs;
    return { pid: Number(child.pid), readyMs, log, ended, kill: (signal) => child.kill(signal) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closing = [...this.#children].map((child) => once(child, "close"));
    for (const child of this.#children) child.kill("SIGKILL");
    await Promise.all(closing);
    rmSync(this.root, { recursive: true, force: true });
  }

  #spawn(
    args: readonly string[],
    environment: Readonly<Record<string, string>>,
    [file, ...prefix]: Command = this.#command,
  ): Child {
    const child = spawn(file, [...prefix, ...args], {
      cwd: join(this.root, "p"),
      env: { ...this.environment, ...environment },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#children.add(child);
    child.once("close", () => this.#children.delete(child));
    return child;
  }
}

/** Something that could not be observed; the clauses that need it do not hold. */
export function failed(reason: string): FemtoError {
  return new FemtoError("FEMTO_INTERNAL", reason);
}

function gather(stream: Readable): () => string {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString("utf8");
}

/** A command may end before it has read its input; how it ended is told by its exit code. */
function ignoreBrokenPipe(): void {}
