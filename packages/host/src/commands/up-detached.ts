/** `up --detach`: the same command once more, as a process of its own. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { constants, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { openStateDirectory } from "@femtoclaw/journal/state-directory";
import { EXIT } from "@femtoclaw/protocol";
import { ownCommand } from "../own-command.ts";
import type { CommandContext } from "./command-context.ts";

const LOG_FILE = "host.log";
/** How the first line of a host begins that came up; one that did not says its fault there. */
const READY = '{"event":"ready"';
/** LIMIT: bytes of its log that are shown of a host that did not come up. */
const SAID_BYTES_MAX = 65_536;

export async function upDetached(context: CommandContext): Promise<number> {
  const { output } = context;
  const started = await startDetached(context);
  if ("exit" in started) {
    process.stderr.write(started.log);
    if (started.said !== null && output.json) output.line(started.said);
    return await started.exit();
  }
  if (output.json) output.line(started.ready);
  else output.line(`ready: process ${started.pid}, log in ${started.log}`);
  return EXIT.ok;
}

/** A host that came up in the background; or what one said that did not. */
type DetachedStart =
  | { readonly ready: string; readonly pid: number | undefined; readonly log: string }
  | { readonly said: string | null; readonly log: Buffer; exit(): Promise<number> };

/** Starts the same command in the background, with its log in the state directory. */
export async function startDetached(context: CommandContext): Promise<DetachedStart> {
  const { resolved } = context.load();
  const { root } = await openStateDirectory(resolved.stateDirectory, { create: true });
  const log = new HostLog(join(root, LOG_FILE));
  const [program, ...words] = ownCommand();
  const args = [...words, ...globalArgs(context), "--json", "up"];
  const { environment: env } = context;
  const child = spawn(program, args, { env, detached: true, stdio: ["ignore", "pipe", log.descriptor] });
  const { stdout } = child;
  assert(stdout !== null, "the host's stdout is a pipe");
  const said = await firstLine(stdout);
  stdout.destroy();
  if (said?.startsWith(READY) !== true) return { said, log: log.sinceStart(), exit: () => exitCode(child) };
  child.unref();
  return { ready: said, pid: child.pid, log: log.path };
}

/** What a host in the background says, kept from one start to the next. */
class HostLog {
  readonly path: string;
  readonly descriptor: number;
  readonly #start: number;

  constructor(path: string) {
    this.path = path;
    const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
    this.descriptor = openSync(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
    this.#start = fstatSync(this.descriptor).size;
  }

  /** The beginning of what was said in this start. */
  sinceStart(): Buffer {
    const buffer = Buffer.alloc(SAID_BYTES_MAX);
    return buffer.subarray(0, readSync(this.descriptor, buffer, 0, buffer.length, this.#start));
  }
}

function globalArgs({ options }: CommandContext): string[] {
  return [
    ...(options.config === undefined ? [] : ["--config", options.config]),
    ...(options.state === undefined ? [] : ["--state", options.state]),
    ...(options.quiet === true ? ["--quiet"] : []),
  ];
}

async function firstLine(stream: NodeJS.ReadableStream): Promise<string | null> {
  let text = "";
  for await (const chunk of stream) {
    text += String(chunk);
    const end = text.indexOf("\n");
    if (end !== -1) return text.slice(0, end);
  }
  return null;
}

async function exitCode(child: ReturnType<typeof spawn>): Promise<number> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode ?? EXIT.internal;
  return await new Promise((resolve) => {
    child.once("exit", (code) => resolve(code ?? EXIT.internal));
  });
}
