/** `up`, `down`, `status`: the life of the host process. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openStateDirectory } from "@femtoclaw/journal";
import { EXIT, errorText, FemtoError, type LogParent, printable } from "@femtoclaw/protocol";
import type { RuntimeStatus, ShadowStatus } from "@femtoclaw/runtime";
import type { LoadedConfiguration } from "../configuration/load-configuration.ts";
import type { TelemetryStatus } from "../endpoints/operator-endpoint.ts";
import { HostProcess } from "../host-process.ts";
import { ownCommand } from "../own-command.ts";
import { type HostState, writeFailure } from "../report/failure-reports.ts";
import { tellService, watchService } from "../service-notice.ts";
import { logToStderr } from "../terminal/log.ts";
import type { Output } from "../terminal/output.ts";
import { table } from "../terminal/table.ts";
import { telemetryRows } from "../terminal/telemetry-rows.ts";
import { witnessRow } from "../terminal/witness-row.ts";
import type { WebhookStatus } from "../webhook/webhook-delivery.ts";
import { BackgroundLog } from "./background-log.ts";
import type { CommandContext } from "./command-context.ts";
import { type HeldLog, heldText, holdLog } from "./known-log.ts";

const LOG_FILE = "host.log";
/** How the first line of a host begins that came up; one that did not says its fault there. */
const READY = '{"event":"ready"';
/** LIMIT: time for a process to go away after the last thing that it did. */
const GONE_MS = 10_000;

export async function up(context: CommandContext, options: { readonly detach?: boolean }): Promise<number> {
  if (options.detach === true) return await upDetached(context);
  const loaded = context.load();
  let host: HostProcess | null = null;
  const report = (error: unknown): void => {
    const file = writeFailure(loaded.resolved.stateDirectory, error, () => stateOf(host));
    if (file !== null)
      process.stderr.write(`femtoclaw: what is known of this failure stands in ${printable(file, 4_096)}\n`);
  };
  // INVARIANT: I3: after a bug nothing of this process goes on; its journal is as after a kill.
  process.on("uncaughtException", (bug) => {
    report(bug);
    process.stderr.write(`femtoclaw: FEMTO_INTERNAL: ${printable(bug.stack ?? errorText(bug), 16_384)}\n`);
    process.exit(EXIT.internal);
  });
  try {
    return await serve(context, loaded, (started) => {
      host = started;
    });
  } catch (error) {
    report(error);
    throw error;
  }
}

function stateOf(host: HostProcess | null): ReturnType<HostState> {
  return host === null ? null : { boot: host.runtime.boot, phase: host.runtime.status().phase };
}

async function serve(
  context: CommandContext,
  loaded: LoadedConfiguration,
  onStarted: (host: HostProcess) => void,
): Promise<number> {
  const { output } = context;
  let host: HostProcess | null = null;
  // The first signal drains, a second one hurries. One that comes early counts once the host stands.
  let signals = 0;
  const onSignal = (): void => {
    signals += 1;
    void host?.stop({ now: signals > 1 });
  };
  for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, onSignal);
  const log = logToStderr(context.options.quiet === true ? "warn" : "info");
  process.on("SIGHUP", () => {
    host?.reload("signal").catch((error: unknown) => {
      log({ level: "error", event: "policy.rejected", reason: errorText(error) });
    });
  });
  host = await HostProcess.start({ loaded, load: () => context.load(), log });
  onStarted(host);
  if (signals > 0) void host.stop({ now: false });
  const { runtime, sockets } = host;
  const ready = {
    event: "ready",
    pid: process.pid,
    boot: runtime.boot,
    state: runtime.status().phase,
    agent_socket: sockets.agent,
    operator_socket: sockets.operator,
  };
  const { environment } = context;
  using _watched = watchService(environment, () => runtime.status().phase !== "error");
  void host.stopping.then(() => tellService(environment, "STOPPING=1"));
  const untold = tellService(environment, "READY=1");
  if (untold !== null) log({ level: "warn", event: "service.not_told", reason: untold });
  if (output.json) output.value(ready);
  else output.line(`ready: process ${ready.pid}, agents at ${printable(ready.agent_socket, 4_096)}`);
  // For the next start, because a host that is killed keeps nothing at its end.
  flushCompileCache();
  const fault = await Promise.race([host.stopped, runtime.failed]);
  if (fault === undefined) return EXIT.ok;
  await host.stop({ now: true });
  throw fault;
}

async function upDetached(context: CommandContext): Promise<number> {
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
  const log = new BackgroundLog(join(root, LOG_FILE));
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

export async function down(context: CommandContext, options: { readonly now?: boolean }): Promise<number> {
  const loaded = context.load();
  await using operator = await context.unprovedOperator(loaded);
  const held = await holdLog(context, operator, loaded);
  // Before the right log can be put back, the host of the wrong one has to end.
  if (held.fault !== null) context.output.talk(printable(heldText(held), 4_096));
  const { pid } = (await operator.status()) as { readonly pid: number };
  await operator.stop({ now: options.now ?? false });
  // A host that drains closes its connections last; until then it still has work to finish.
  await operator.closed;
  await gone(pid);
  if (context.output.json) context.output.value({ event: "stopped", pid });
  else context.output.line(`stopped: process ${pid}`);
  return EXIT.ok;
}

/** The kill switch of one session. It goes to whatever host answers: a wrong log is no reason to let an agent go on. */
export async function halt(
  context: CommandContext,
  session: string,
  options: { readonly reason?: string },
): Promise<number> {
  await using operator = await context.unprovedOperator();
  const { seq, stopped } = await operator.halt(session, options.reason);
  const { output } = context;
  if (output.json) output.value({ session, stopped, record: { seq } });
  else output.line(`halted in record ${seq}: ${stopped} calls of it were under way and end now`);
  return EXIT.ok;
}

/** Only by this command and by SIGHUP: a file that changes by itself changes nothing that is in force. */
export async function reload(context: CommandContext): Promise<number> {
  const { output } = context;
  await using operator = await context.operator();
  const answer = await operator.reload();
  const { revision, before, shadow, shadow_before } = answer;
  const isOther = { inForce: revision !== before, onTrial: shadow !== shadow_before };
  const changed = isOther.inForce || isOther.onTrial;
  if (output.json) output.value({ ...answer, changed });
  else if (!changed) output.line(`nothing changed: revision ${revision}`);
  else {
    output.line(`in force: revision ${revision}${isOther.inForce ? `, before it ${before}` : ", as before"}`);
    if (isOther.onTrial) output.line(shadow === null ? "nothing is on trial any more" : `on trial: revision ${shadow}`);
  }
  return EXIT.ok;
}

/** Whoever asked wants the process gone, not only its sockets. */
async function gone(pid: number): Promise<void> {
  const deadlineMs = performance.now() + GONE_MS;
  while (isAlive(pid) && performance.now() < deadlineMs) await sleep(10);
}

/** A process that has ended stays in the table until its parent asks for it, which may be never. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    // Gone, or its number belongs to another user's process by now.
    return false;
  }
}

export async function status(context: CommandContext): Promise<number> {
  const { output } = context;
  const loaded = context.load();
  await using operator = await context.unprovedOperator(loaded);
  const held = await holdLog(context, operator, loaded);
  const value = await operator.status();
  const exit = held.fault?.exit ?? EXIT.ok;
  if (output.json) {
    output.value({ ...value, remembered: rememberedAs(held) });
    return exit;
  }
  const rows = [...statusRows(value as unknown as HostStatus, output), heldRow(held, output)];
  for (const line of table(rows)) output.line(line);
  if (held.fault !== null) output.line(`fix: ${held.fault.fix}`);
  return exit;
}

/** What is remembered of the log, for scripts. */
function rememberedAs(held: HeldLog): Record<string, unknown> {
  if (held.fault !== null) return { fits: false, code: held.fault.code, reason: held.fault.message };
  const { before, now } = held.met;
  const { origin, size, root } = now;
  const seen = before === null ? null : { size: before.size, root: before.root, seen_at: before.seenAt };
  return { fits: true, origin, size, root, before: seen };
}

function heldRow(held: HeldLog, output: Output): string[] {
  const text = printable(heldText(held), 2_000);
  return ["remembered", held.fault === null ? text : output.style("red", text)];
}

export interface HostStatus extends RuntimeStatus, TelemetryStatus {
  readonly agent_socket: string;
  readonly agent_sockets: Readonly<Record<string, string>>;
  readonly operator_socket: string;
  readonly webhook: WebhookStatus | null;
}

function statusRows(status: HostStatus, output: Output): string[][] {
  const { counters, policy, capabilities, fault } = status;
  const { completed, refused, failed, interrupted, messages } = counters;
  return [
    ["phase", phaseText(status, output)],
    ["version", status.version],
    ["integrity", `${status.integrity}: ${printable(status.integrity_reason)}`],
    ["deployment", status.deployment?.digest ?? "unknown"],
    ["process", `${status.pid}, boot ${status.boots} of this journal`],
    ["log", status.log],
    ...(status.parent === null ? [] : [["", parentText(status.parent)]]),
    ["records", recordsText(status)],
    ["disk", diskText(status.memory, output)],
    ["executions", `${completed} completed, ${refused} refused, ${failed} failed, ${interrupted} interrupted`],
    ["", `${status.running} running, ${status.queued} queued`],
    ...(status.waiting === 0 ? [] : [["", output.style("cyan", waitingText(status.waiting))]]),
    ...(status.unresolved === 0 ? [] : [["", output.style("yellow", unresolvedText(status.unresolved))]]),
    ...sessionRows(status.sessions, output),
    ...(status.terminals === 0
      ? []
      : [["terminals", `${status.terminals} open: look with \`femtoclaw terminal list\``]]),
    ["messages", String(messages)],
    ["policy", `${policy.rules} rules, revision ${policy.revision.slice(0, 12)}`],
    ...(policy.shadow === null ? [] : [["on trial", trialText(policy.shadow, output)]]),
    ["capabilities", `${capabilities.enabled} of ${capabilities.registered} enabled`],
    ["sandbox", status.sandbox ?? "not needed by any enabled capability"],
    ...(status.bounds === null ? [] : [["bounds", status.bounds]]),
    ...telemetryRows(status, output),
    ...(status.webhook === null ? [] : [["webhook", webhookText(status.webhook, output)]]),
    ...(status.witnesses.length === 0 ? [["witnesses", "none"]] : []),
    ...status.witnesses.map((witness) => ["witness", witnessRow(witness).join("  ")]),
    ["agents", printable(status.agent_socket, 4_096)],
    ...Object.entries(status.agent_sockets).map(([name, path]) => [`agent ${name}`, printable(path, 4_096)]),
    ["operators", printable(status.operator_socket, 4_096)],
    ...(fault === null ? [] : [["fault", output.style("red", `${fault.code}: ${printable(fault.reason, 2_000)}`)]]),
  ];
}

/** What a person wants to know first: whether calls are taken, and why not. */
function phaseText({ phase, ready, not_ready, fault }: HostStatus, output: Output): string {
  if (fault !== null) return output.style("red", phase);
  if (ready || not_ready === null) return output.style("green", phase);
  return `${phase}: ${output.style("red", `no calls are taken (${not_ready.code})`)}`;
}

function webhookText({ origin, delivered, waiting, given_up, error }: WebhookStatus, output: Output): string {
  const text = `${printable(origin)}: ${delivered} told, ${waiting} waiting${given_up === 0 ? "" : `, ${given_up} given up`}`;
  return error === null ? text : `${text}; ${output.style("red", printable(error, 1_000))}`;
}

function trialText({ rules, revision, undecided }: ShadowStatus, output: Output): string {
  const text = `${rules} rules, revision ${revision.slice(0, 12)}, in force nowhere`;
  return undecided === 0 ? text : `${text}; ${output.style("yellow", `${undecided} calls not decided by them`)}`;
}

/** LIMIT: sessions that are shown to people; `--json` has more. */
const SHOWN_SESSIONS = 20;

function sessionRows(sessions: RuntimeStatus["sessions"], output: Output): string[][] {
  const rows = sessions.slice(0, SHOWN_SESSIONS).map(({ id, channel, agent, calls, refusals, seconds, halted }) => {
    const name = agent === null ? "" : ` "${printable(agent, 40)}"`;
    const did = `${channel}${name}: ${calls} calls, ${refusals} refused, ${seconds} s`;
    return ["session", `${id} ${did}${halted === null ? "" : output.style("red", `, halted (${halted})`)}`];
  });
  const more = sessions.length - rows.length;
  return more > 0 ? [...rows, ["", `and ${more} more`]] : rows;
}

function parentText({ origin, size, reason }: LogParent): string {
  return `goes on from ${size} records of ${origin} (${reason})`;
}

function waitingText(count: number): string {
  return `${count} ${count === 1 ? "call waits" : "calls wait"} for an operator: look with \`femtoclaw approvals list\``;
}

function unresolvedText(count: number): string {
  return `${count} interrupted and unresolved: look with \`femtoclaw executions list --state interrupted\`, then say with \`femtoclaw executions resolve\` what became of each`;
}

const mib = (bytes: number): string => `${Math.floor(bytes / 1_048_576)} MiB`;

function recordsText({ records, memory: { journal_bytes }, state_directory }: RuntimeStatus): string {
  const size = journal_bytes === null ? "" : `, ${(journal_bytes / 1_048_576).toFixed(1)} MiB`;
  return `${records}${size} in ${printable(state_directory, 4_096)}`;
}

function diskText({ full, free_bytes, reserve_bytes }: RuntimeStatus["memory"], output: Output): string {
  const room = `${free_bytes === null ? "unknown" : mib(free_bytes)} free, ${mib(reserve_bytes)} in reserve`;
  return full === null ? room : output.style("red", `full, no calls are taken (${room}): ${printable(full, 2_000)}`);
}

/** Whether a host answers for this configuration. */
export async function hostAnswers(context: CommandContext, loaded = context.load()): Promise<boolean> {
  try {
    await using _operator = await context.unprovedOperator(loaded);
    return true;
  } catch (error) {
    if (error instanceof FemtoError && error.code === "FEMTO_HOST_NOT_RUNNING") return false;
    throw error;
  }
}
