/** `up --detach`: runs the same command once more, as a process of its own. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { openStateDirectory } from "@femtoclaw/journal/state-directory";
import { EXIT, errorText, FemtoError, parseJson, printable, systemErrorCode } from "@femtoclaw/protocol";
import { ownCommand } from "../../own-command.ts";
import { requireLimits } from "../../process/process-limits.ts";
import { HOST_START_S } from "../../process/start-limit.ts";
import { type StartedHost, startLines, startText } from "../../terminal/open-ends-text.ts";
import { columnsOf } from "../../terminal/output.ts";
import { prose } from "../../terminal/prose.ts";
import type { CommandContext } from "../command-context.ts";
import { BackgroundLog } from "./background-log.ts";

const LOG_FILE = "host.log";
/** How the first line begins that a host prints once it is up. A host that fails prints its fault there instead. */
const READY = '{"event":"ready"';
/** Time after which somebody who waits for a host is told for which. */
const TOLD_MS = 10_000;

export async function upDetached(context: CommandContext): Promise<number> {
  const { output } = context;
  const isFirst = !existsSync(join(context.load().resolved.stateDirectory, "journal"));
  const started = await startDetached(context);
  if ("exit" in started) {
    process.stderr.write(prose(forPeople(started.log.toString()), columnsOf(process.stderr)));
    if (started.said !== null && output.json) output.line(started.said);
    return await started.exit();
  }
  if (output.json) output.line(started.ready);
  else {
    const ready = parseJson(started.ready) as StartedHost;
    output.prose(startText(ready, `process ${started.pid}, log in ${printable(started.log, 4_096)}`));
    for (const line of [...warningsIn(started.warned, ready), ...startLines(ready)]) output.talk(line);
    if (isFirst && ready.not_ready === null) {
      output.talk(`next: ${firstStep(context)}`);
      output.talk("in another terminal, `femtoclaw approvals watch` shows which calls wait for your answer");
    }
  }
  return EXIT.ok;
}

function firstStep(context: CommandContext): string {
  const canList = context.load().resolved.capabilities.get("fs_list")?.enabled === true;
  if (canList) return '`femtoclaw call fs_list \'{"path":"."}\'` proposes a first call';
  return "`femtoclaw capabilities list` shows what can be called";
}

/** What a host that failed says in words. Its log has the rest, and is shown only if nothing else is known. */
function forPeople(log: string): string {
  const words = log.split("\n").filter((line) => !line.startsWith('{"at":'));
  return words.some((line) => line !== "") ? words.join("\n") : log;
}

/**
 * What a start warns of, which a host in the foreground shows and one in the background only logs. Without what is said
 * already about a host that takes no calls.
 */
function warningsIn(log: Buffer, { not_ready }: Pick<StartedHost, "not_ready"> = { not_ready: null }): string[] {
  const lines = log
    .toString()
    .split("\n")
    .filter((line) => line.startsWith('{"at":') && line.endsWith("}"));
  return lines.flatMap((line) => {
    const { level, event, reason, fix } = parseJson(line) as Readonly<Record<string, unknown>>;
    if (level === "info" || typeof reason !== "string" || not_ready?.reason.endsWith(reason) === true) return [];
    const said = `warning: ${printable(String(event), 80)}: ${printable(reason, 1_000)}`;
    return typeof fix === "string" ? [said, `  fix: ${printable(fix, 1_000)}`] : [said];
  });
}

/** A host that came up in the background, or what a host said that did not. */
type DetachedStart =
  | { readonly ready: string; readonly pid: number | undefined; readonly log: string; readonly warned: Buffer }
  | { readonly said: string | null; readonly log: Buffer; exit(): Promise<number> };

/** Starts the same command in the background, with its log in the state directory. */
export async function startDetached(context: CommandContext): Promise<DetachedStart> {
  // The host inherits the limits of this process.
  requireLimits();
  const { resolved } = context.load();
  const { root } = await openStateDirectory(resolved.stateDirectory, { create: true });
  // An MCP server or a chat starts a host as often as it finds none, and would keep a descriptor of each.
  using log = new BackgroundLog(join(root, LOG_FILE));
  const [program, ...words] = ownCommand();
  const args = [...words, ...globalArgs(context), "--json", "up"];
  const { environment: env } = context;
  const child = spawn(program, args, { env, detached: true, stdio: ["ignore", "pipe", log.descriptor] });
  await once(child, "spawn").catch((cause: unknown) => {
    const reason = `the host cannot be started: ${systemErrorCode(cause) ?? errorText(cause)}`;
    throw new FemtoError("FEMTO_SURROUNDINGS", reason, {
      fix: "End what uses up this user's processes or this process's open files, and run the command again.",
      cause,
    });
  });
  const { stdout } = child;
  assert(stdout !== null, "the host's stdout is a pipe");
  const said = await saidInTime(stdout, () => tellOf(child.pid, log, context));
  stdout.destroy();
  if (said === undefined) {
    child.kill("SIGKILL");
    // A process that waits for a disk does not even end then, and is not waited for.
    child.unref();
    throw silent(child.pid, log);
  }
  if (said?.startsWith(READY) !== true) return { said, log: log.sinceStart(), exit: () => exitCode(child) };
  child.unref();
  return { ready: said, pid: child.pid, log: log.path, warned: log.sinceStart() };
}

/** Undefined if the host says nothing for as long as it is given. */
async function saidInTime(stdout: NodeJS.ReadableStream, tell: () => void): Promise<string | null | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timers = [setTimeout(tell, TOLD_MS), setTimeout(() => resolve(undefined), HOST_START_S * 1_000)];
  try {
    return await Promise.race([firstLine(stdout), late]);
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
}

function tellOf(pid: number | undefined, log: BackgroundLog, { output }: CommandContext): void {
  output.talk(`the host has not come up yet: process ${pid}, log in ${printable(log.path, 4_096)}`);
  for (const line of warningsIn(log.sinceStart())) output.talk(line);
}

function silent(pid: number | undefined, log: BackgroundLog): FemtoError {
  const warned = warningsIn(log.sinceStart()).filter((line) => !line.startsWith(" "));
  const last = warned.length === 0 ? "" : `; its last ${warned.at(-1)}`;
  const reason = `the host did not come up within ${HOST_START_S} s, and process ${pid} was ended${last}`;
  const fix = `Read in ${printable(log.path, 4_096)} how far it came, and see whether the disk of the state directory is full or hangs. Then start it again. Nothing is lost.`;
  return new FemtoError("FEMTO_HOST_SILENT", reason, { fix });
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
