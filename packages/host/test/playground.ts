/** A project, a home and runtime folders of its own, and the real command line as child processes. */
import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { connect, type Socket } from "node:net";
import { dirname, join, relative } from "node:path";
import type { Readable, Writable } from "node:stream";
import { AgentClient, LogMemory, OperatorClient } from "@femtoclaw/client";
import { type DirectoryIdentity, writeIdentity } from "@femtoclaw/journal";
import type { ExecutionView, Reply } from "@femtoclaw/protocol";
import { leaveReserve } from "@femtoclaw/testing";

/** The command as it runs from the sources. */
export const SOURCES = [process.execPath, join(import.meta.dirname, "../src/launch.js")] as const;
/** The same from the few files into which a run of tests has put the sources; elsewhere from the sources. */
export const COMMAND = [process.execPath, process.env["TESTED_COMMAND"] ?? SOURCES[1]] as const;

/** Two programs that cannot run code, one folder to write to, one secret. */
export const CONFIGURATION = `workspace = "."
[capabilities]
process_exec = true
fs_read = true
fs_write = true
fs_list = false
[allow]
read = ["."]
write = ["out"]
run = { echo = ["*"], cat = ["*"], tee = ["*"], sleep = ["*"] }
[deny]
read = ["secrets"]
[memory]
path = "../state"
[host]
runtime_dir = "../run"
`;

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

export interface Host {
  readonly pid: number;
  readonly ready: Record<string, unknown>;
  /** What it has said on stderr so far. */
  readonly log: () => string;
  /** Resolves with the exit code, or with the signal. */
  readonly ended: Promise<number | NodeJS.Signals>;
  kill(signal: NodeJS.Signals): void;
}

export class Playground implements AsyncDisposable {
  /** Short, because sockets lie below it. */
  readonly root = realpathSync(mkdtempSync("/tmp/fh-"));
  readonly project = this.folder("p");
  readonly state = join(this.root, "state");
  readonly runtime = join(this.root, "run");
  readonly environment: Record<string, string | undefined> = {
    PATH: process.env["PATH"],
    HOME: this.folder("h"),
    XDG_RUNTIME_DIR: this.folder("x"),
    // What others compiled; the folder of this home would be empty at its first start.
    NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
  };
  /** The program that is driven and its first words. */
  readonly #command: readonly [program: string, ...words: string[]];
  readonly #children = new Set<Child>();
  readonly #hosts = new Set<Host>();

  constructor(configuration: string = CONFIGURATION, command: readonly [string, ...string[]] = COMMAND) {
    this.#command = command;
    for (const name of ["out", "secrets"]) mkdirSync(join(this.project, name));
    this.write("p/secrets/token.txt", "hunter2\n");
    this.write("p/notes.txt", "some notes\n");
    this.configure(configuration);
    // What lies in the project takes effect only when it is named; each test names it.
    this.environment["FEMTOCLAW_CONFIG"] = join(this.project, "femtoclaw.toml");
  }

  configure(configuration: string): void {
    this.write("p/femtoclaw.toml", configuration);
  }

  folder(name: string): string {
    mkdirSync(join(this.root, name), { recursive: true, mode: 0o700 });
    return join(this.root, name);
  }

  write(name: string, content: string | Uint8Array): string {
    mkdirSync(dirname(join(this.root, name)), { recursive: true, mode: 0o700 });
    writeFileSync(join(this.root, name), content, { mode: 0o600 });
    return join(this.root, name);
  }

  remove(path: string): void {
    rmSync(path, { recursive: true });
  }

  /**
   * Puts the files of an older state directory back into the folders that are there, as somebody does who
   * knows what a copy is noticed by.
   */
  async rollBack(older: string): Promise<void> {
    for (const name of readdirSync(this.state)) {
      const path = join(this.state, name);
      if (!statSync(path).isDirectory()) continue;
      for (const inner of readdirSync(path)) rmSync(join(path, inner), { recursive: true });
    }
    for (const { name, parentPath } of readdirSync(older, { recursive: true, withFileTypes: true })) {
      if (name === "reserve") continue;
      const from = join(parentPath, name);
      const to = join(this.state, relative(older, from));
      if (statSync(from).isFile()) writeFileSync(to, readFileSync(from), { mode: 0o600 });
      else mkdirSync(to, { recursive: true, mode: 0o700 });
    }
    const { origin, boot } = JSON.parse(readFileSync(join(older, "identity"), "utf8")) as DirectoryIdentity;
    const folders = { root: this.state, journal: join(this.state, "journal"), into: this.state };
    await writeIdentity(folders, { origin, boot });
  }

  /** Runs one command to its end. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    const child = this.spawn(args, options);
    const [stdout, stderr] = [gather(child.stdout), gather(child.stderr)];
    child.stdin.on("error", () => undefined).end(options.input ?? "");
    const [code] = (await once(child, "close")) as [number | null];
    return { code, stdout: stdout(), stderr: stderr() };
  }

  /** Runs a command with --json and takes its one value. */
  async json<T>(args: readonly string[], options: RunOptions = {}): Promise<{ code: number | null; value: T }> {
    const { code, stdout, stderr } = await this.run(["--json", ...args], options);
    if (!stdout.endsWith("\n")) throw new Error(`no JSON from ${args.join(" ")}: ${code} ${stdout}${stderr}`);
    return { code, value: JSON.parse(stdout) as T };
  }

  /** A client of the library, which remembers in this home and not in that of whoever runs the tests. */
  async agent(warn: (reason: string) => void = () => undefined): Promise<AgentClient> {
    const memory = new LogMemory({ environment: this.environment, place: this.runtime, warn });
    return await AgentClient.connect(this.runtime, memory);
  }

  /** One call straight over the agent's socket, for tests that are not about the command line. */
  async propose(tool: string, args: Readonly<Record<string, unknown>>): Promise<Reply> {
    await using client = await this.agent();
    return await client.propose(Buffer.from(JSON.stringify(toolCall(tool, args))));
  }

  /** One call by the command line; a reply whatever became of it. */
  async call(tool: string, args: Readonly<Record<string, unknown>>): Promise<{ code: number | null; value: Reply }> {
    return await this.json<Reply>(["call", tool, JSON.stringify(args)]);
  }

  /** An operator, as `agent` is an agent. */
  async operator(): Promise<OperatorClient> {
    const memory = new LogMemory({ environment: this.environment, place: this.runtime, warn: () => undefined });
    return await OperatorClient.connect(this.runtime, memory);
  }

  /** The newest first; where no host listens, as the command reads them from the journal. */
  async executions(): Promise<readonly ExecutionView[]> {
    if (!existsSync(join(this.runtime, "operator.sock"))) {
      return (await this.json<ExecutionView[]>(["executions", "list", "--all"])).value;
    }
    await using operator = await this.operator();
    return await operator.executions({ limit: 200 });
  }

  /** Once a call executes and its intent is durable: the status tells of it before. */
  async untilRunning(): Promise<void> {
    await using operator = await this.operator();
    while ((await operator.executions({ limit: 1, status: "pending" })).length === 0);
  }

  spawn(args: readonly string[], { env, cwd }: RunOptions = {}): Child {
    const [program, ...words] = this.#command;
    const child = spawn(program, [...words, ...args], {
      cwd: cwd ?? this.project,
      env: { ...this.environment, ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#children.add(child);
    child.once("close", () => this.#children.delete(child));
    return child;
  }

  /** A host in the foreground, once it is ready. The first one finds nothing but the disk reserve. */
  async up(args: readonly string[] = [], options: RunOptions = {}): Promise<Host> {
    if (!existsSync(this.state)) leaveReserve(this.state);
    const child = this.spawn(["--json", ...args, "up"], options);
    const log = gather(child.stderr);
    const ended = once(child, "close").then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
    const ready = await Promise.race([firstLine(child.stdout), ended]);
    if (typeof ready !== "string" || !ready.startsWith("{")) throw new Error(`no host: ${ready} ${log()}`);
    const host: Host = {
      pid: Number(child.pid),
      ready: JSON.parse(ready) as Record<string, unknown>,
      log,
      ended,
      kill: (signal) => child.kill(signal),
    };
    this.#hosts.add(host);
    void ended.then(() => this.#hosts.delete(host));
    return host;
  }

  /** Ends every host in order. */
  async down(): Promise<void> {
    const ended = await Promise.all(
      [...this.#hosts].map((host) => {
        host.kill("SIGTERM");
        return host.ended;
      }),
    );
    assert.deepEqual(ended, [0]);
  }

  /** A raw connection to one of the host's sockets. */
  async socket(name: "agent" | "operator"): Promise<RawConnection> {
    return await RawConnection.open(join(this.runtime, `${name}.sock`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closing = [...this.#children].map((child) => once(child, "close"));
    for (const child of this.#children) child.kill("SIGKILL");
    await Promise.all(closing);
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Lines as they come, for requests that no client of ours would send. */
export class RawConnection implements Disposable {
  readonly socket: Socket;
  readonly lines: string[] = [];
  readonly closed: Promise<void>;
  #rest = "";
  #waiting: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("utf8").on("data", (text: string) => {
      const parts = (this.#rest + text).split("\n");
      this.#rest = parts.pop() ?? "";
      this.lines.push(...parts);
      this.#wake();
    });
    socket.on("error", () => undefined);
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        resolve();
        this.#wake();
      });
    });
  }

  static async open(path: string): Promise<RawConnection> {
    const socket = connect(path);
    await once(socket, "connect");
    return new RawConnection(socket);
  }

  write(text: string | Uint8Array): void {
    this.socket.write(text);
  }

  /** The next `count` answers from the `from`th on; fewer when the connection ends before. */
  async answers(count: number, from = 0): Promise<Answer[]> {
    while (this.lines.length < from + count && !this.socket.destroyed) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
    return this.lines.slice(from, from + count).map((line) => JSON.parse(line) as Answer);
  }

  /** Sends one request and takes the next answer. */
  async ask(request: unknown): Promise<Answer> {
    const from = this.lines.length;
    this.write(`${typeof request === "string" ? request : JSON.stringify(request)}\n`);
    const [answer] = await this.answers(1, from);
    if (answer === undefined) throw new Error("the connection ended without an answer");
    return answer;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

export interface Answer {
  readonly id: number | null;
  readonly ok: boolean;
  readonly value?: unknown;
  readonly error?: { readonly code: string; readonly reason: string; readonly fix: string };
}

/** A protocol message as it travels on the agent's socket. */
export function proposal(id: number, message: unknown): { id: number; verb: string; message: string } {
  const text = typeof message === "string" ? message : JSON.stringify(message);
  return { id, verb: "propose", message: Buffer.from(text).toString("base64") };
}

export function toolCall(tool: string, args: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { tool_call: { tool, args } };
}

function gather(stream: Readable): () => string {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString("utf8");
}

async function firstLine(stream: Readable): Promise<string> {
  let text = "";
  return await new Promise((resolve) => {
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString("utf8");
      const end = text.indexOf("\n");
      if (end !== -1) resolve(text.slice(0, end));
    });
    stream.on("close", () => resolve(text));
  });
}
