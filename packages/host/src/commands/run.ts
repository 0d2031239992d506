/** `run`: launches an agent through the running host, and lends it this terminal, or these pipes, until it ends. */
import { constants } from "node:os";
import { isAbsolute, relative } from "node:path";
import type { OperatorClient } from "@femtoclaw/client";
import { EXIT, FemtoError, type LaunchOutput, printable, type Reply } from "@femtoclaw/protocol";
import type { LaunchSetting } from "@femtoclaw/runtime/configuration";
import type { LoadedConfiguration } from "../configuration/load-configuration.ts";
import { OwnTerminal } from "../launch/own-terminal.ts";
import { showLaunch } from "../launch/show-launch.ts";
import { throwAway } from "../launch/throw-away.ts";
import { exitOf, replyLines } from "../terminal/reply-text.ts";
import type { CommandContext } from "./command-context.ts";

/** How long one request to the host waits for more output. */
const WAIT_MS = 1_000;

export interface RunOptions {
  readonly dryRun?: boolean;
}

export async function runAgent(
  context: CommandContext,
  name: string,
  argv: readonly string[],
  { dryRun = false }: RunOptions,
): Promise<number> {
  const loaded = context.load();
  const setting = settingOf(loaded, name);
  const { workspace } = loaded.resolved.authority;
  const own = throwAway(setting, { workspace, cwd: cwdWithin(loaded, context.cwd).cwd ?? workspace });
  const variables = variablesOf(context, setting);
  if (dryRun) return showLaunch(context, { setting, argv, own, given: Object.keys(variables) });
  for (const missing of setting.env.filter((variable) => !Object.hasOwn(variables, variable))) {
    context.output.talk(`${printable(missing)} is not set here, so ${printable(name)} does not get it`);
  }
  await using operator = await context.operator(loaded);
  using terminal = new OwnTerminal();
  const { session } = await operator.launched.start({
    ...{ name, argv, variables, size: terminal.size },
    ...cwdWithin(loaded, context.cwd),
  });
  const configured = setting.kind === "other" ? "" : `, configured as ${setting.kind} for this launch`;
  context.output.talk(`launching ${printable(name)} in the sandbox${configured}, as session ${session}`);
  terminal.lend({
    typed: (data) => operator.launched.write(data),
    resized: (size) => operator.launched.resize(size),
    interrupted: () => operator.launched.end(),
  });
  const ended = await outputOf(operator, terminal);
  terminal.restore();
  report(context, name, ended);
  if (ended.asked) return EXIT.denied;
  const gone = own.settings.files.map(({ path }) => path).join(", ");
  if (gone !== "" && ended.reply.status === "completed") context.output.talk(`gone with it: ${gone}`);
  return exitCodeOf(ended.reply, terminal.interruptedBy);
}

type Ended = NonNullable<LaunchOutput["ended"]>;

async function outputOf(operator: OperatorClient, terminal: OwnTerminal): Promise<Ended> {
  for (;;) {
    const { stdout, stderr, ended } = await operator.launched.read(WAIT_MS);
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
      ? `Add a table [launch.${printable(name, 64)}] to ${printable(path)}, run \`femtoclaw trust\`, and start the host again.`
      : `Name one that has a table: ${known}.`;
  throw new FemtoError("FEMTO_USAGE", `the configuration has no [launch.${printable(name, 64)}]`, { fix });
}

/** INVARIANT: I10: the agent gets only those of this shell's variables that its table lists. */
function variablesOf({ environment }: CommandContext, { env }: LaunchSetting): Record<string, string> {
  return Object.fromEntries(
    env.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** The current folder, if it lies in the workspace. Otherwise the agent starts in the workspace itself. */
function cwdWithin({ resolved }: LoadedConfiguration, cwd: string): { readonly cwd?: string } {
  const inner = relative(resolved.authority.workspace, cwd);
  const isWithin = !isAbsolute(inner) && inner !== ".." && !inner.startsWith("../");
  return isWithin ? { cwd } : {};
}

/** Writes to stderr, because stdout is what the agent said. */
function report({ output }: CommandContext, name: string, { reply, calls, asked }: Ended): void {
  if (asked) {
    const rules = (reply.policy?.rules ?? []).map((rule) => printable(rule)).join(" ");
    process.stderr.write(`${printable(name)} was not launched: the policy asks about it  ${rules}\n`);
    process.stderr.write(
      "fix: An answer could not start it later, so nobody was asked. Exempt the agent that you launch from the rule.\n",
    );
    return;
  }
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
    output.talk(`it was not allowed to connect to ${printable(host, 300)}: ${printable(reason, 500)}`);
  }
}

function exitCodeOf(reply: Reply, interruptedBy: NodeJS.Signals | null): number {
  if (reply.status !== "completed") return interruptedBy === null ? exitOf(reply) : signalExit(interruptedBy);
  const { exit_code: code, signal } = reply.result ?? {};
  if (typeof code === "number") return code;
  return typeof signal === "string" ? signalExit(signal) : EXIT.internal;
}

/** The exit code that shells give to a program that was ended by a signal. */
function signalExit(signal: string): number {
  return 128 + (Object.entries(constants.signals).find(([name]) => name === signal)?.[1] ?? 0);
}
