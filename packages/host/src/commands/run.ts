/** `run`: launches an agent at the running host and lends it this terminal, or these pipes, until it ends. */
import { constants } from "node:os";
import { isAbsolute, relative } from "node:path";
import type { OperatorClient } from "@femtoclaw/client";
import { EXIT, FemtoError, printable, type Reply } from "@femtoclaw/protocol";
import type { LaunchSetting } from "@femtoclaw/runtime";
import type { LoadedConfiguration } from "../configuration/load-configuration.ts";
import { OwnTerminal } from "../launch/own-terminal.ts";
import { exitOf, replyLines } from "../terminal/reply-text.ts";
import type { CommandContext } from "./command-context.ts";

/** How long one question to the host waits for more. */
const WAIT_MS = 1_000;

export async function runAgent(context: CommandContext, name: string, argv: readonly string[]): Promise<number> {
  const loaded = context.load();
  const setting = settingOf(loaded, name);
  await using operator = await context.operator(loaded);
  using terminal = new OwnTerminal();
  const { session } = await operator.launch({
    ...{ name, argv, variables: variablesOf(context, setting), size: terminal.size },
    ...cwdWithin(loaded, context.cwd),
  });
  context.output.talk(`launching ${printable(name)} in the sandbox, as session ${session}`);
  terminal.lend({
    typed: (data) => operator.launchWrite(data),
    resized: (size) => operator.launchResize(size),
    interrupted: () => operator.launchEnd(),
  });
  const { reply, calls } = await outputOf(operator, terminal);
  terminal.restore();
  report(context, name, reply, calls);
  return exitCodeOf(reply, terminal.interruptedBy);
}

type Ended = NonNullable<Awaited<ReturnType<OperatorClient["launchRead"]>>["ended"]>;

async function outputOf(operator: OperatorClient, terminal: OwnTerminal): Promise<Ended> {
  for (;;) {
    const { stdout, stderr, ended } = await operator.launchRead(WAIT_MS);
    await terminal.write("stdout", Buffer.from(stdout, "base64"));
    await terminal.write("stderr", Buffer.from(stderr, "base64"));
    if (ended !== null) return ended;
  }
}

function settingOf({ resolved, path }: LoadedConfiguration, name: string): LaunchSetting {
  const { launches = [] } = resolved;
  const setting = launches.find((one) => one.name === name);
  if (setting !== undefined) return setting;
  const known = launches.map((one) => printable(one.name)).join(", ");
  const fix =
    known === ""
      ? `Write a table [launch.${printable(name, 64)}] into ${printable(path)} and start the host again.`
      : `Name one that has a table: ${known}.`;
  throw new FemtoError("FEMTO_USAGE", `the configuration has no [launch.${printable(name, 64)}]`, { fix });
}

/** INVARIANT: I10: of this shell's variables the agent gets those that its table lists, and no others. */
function variablesOf({ environment }: CommandContext, { env }: LaunchSetting): Record<string, string> {
  return Object.fromEntries(
    env.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Where it is launched, if that is a folder of the workspace; else it begins in the workspace itself. */
function cwdWithin({ resolved }: LoadedConfiguration, cwd: string): { readonly cwd?: string } {
  const inner = relative(resolved.authority.workspace, cwd);
  const isWithin = !isAbsolute(inner) && inner !== ".." && !inner.startsWith("../");
  return isWithin ? { cwd } : {};
}

/** On stderr: stdout is what the agent said. */
function report({ output }: CommandContext, name: string, reply: Reply, calls: Ended["calls"]): void {
  if (reply.status !== "completed") {
    for (const line of replyLines(reply, output)) process.stderr.write(`${line}\n`);
    return;
  }
  const words = { completed: "done", denied: "denied", pending: "asked", error: "failed", interrupted: "interrupted" };
  const counted = Object.entries(words).flatMap(([status, word]) => {
    const count = calls[status as Reply["status"]] ?? 0;
    return count === 0 ? [] : [`${count} ${word}`];
  });
  const refused = (reply.result?.["refused"] ?? []) as readonly { readonly host: string; readonly reason: string }[];
  output.talk(`${printable(name)} ended; calls: ${counted.length === 0 ? "none" : counted.join(", ")}`);
  for (const { host, reason } of refused) {
    output.talk(`it was not let connect to ${printable(host, 300)}: ${printable(reason, 500)}`);
  }
}

function exitCodeOf(reply: Reply, interruptedBy: NodeJS.Signals | null): number {
  if (reply.status !== "completed") return interruptedBy === null ? exitOf(reply) : signalExit(interruptedBy);
  const { exit_code: code, signal } = reply.result ?? {};
  if (typeof code === "number") return code;
  return typeof signal === "string" ? signalExit(signal) : EXIT.internal;
}

/** As shells say of a program that a signal ended. */
function signalExit(signal: string): number {
  return 128 + (Object.entries(constants.signals).find(([name]) => name === signal)?.[1] ?? 0);
}
