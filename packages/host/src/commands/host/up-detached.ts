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
import { type OpenEnds, openEnds } from "../../terminal/open-ends-text.ts";
import { columnsOf } from "../../terminal/output.ts";
import { prose } from "../../terminal/prose.ts";
import type { CommandContext } from "../command-context.ts";
import { BackgroundLog } from "./background-log.ts";

const LOG_FILE = "host.log";
/** How the first line begins that a host prints once it is up. A host that fails prints its fault there instead. */
const READY = '{"event":"ready"';

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
    output.prose(`ready: process ${started.pid}, log in ${started.log}`);
    for (const line of warningsIn(started.warned)) output.talk(line);
    for (const line of openEnds(parseJson(started.ready) as OpenEnds)) output.talk(line);
    if (isFirst) {
      output.talk('next: `femtoclaw call fs_list \'{"path":"."}\'` proposes a first call');
      output.talk("in another terminal, `femtoclaw approvals watch` shows which calls wait for your answer");
    }
  }
  return EXIT.ok;
}

/** What a host that failed says in words. Its log has the rest, and is shown only if nothing else is known. */
function forPeople(log: string): string {
  const words = log.split("\n").filter((line) => !line.startsWith('{"at":'));
  return words.some((line) => line !== "") ? words.join("\n") : log;
}

/** What a start warns of, which a host in the foreground shows and one in the background only logs. */
function warningsIn(log: Buffer): string[] {
  const lines = log
    .toString()
    .split("\n")
    .filter((line) => line.startsWith('{"at":') && line.endsWith("}"));
  return lines.flatMap((line) => {
    const { level, event, reason, fix } = parseJson(line) as Readonly<Record<string, unknown>>;
    if (level === "info" || typeof reason !== "string") return [];
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
  const said = await firstLine(stdout);
  stdout.destroy();
  if (said?.startsWith(READY) !== true) return { said, log: log.sinceStart(), exit: () => exitCode(child) };
  child.unref();
  return { ready: said, pid: child.pid, log: log.path, warned: log.sinceStart() };
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
