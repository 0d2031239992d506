/** `up`: the life of the host process. */
import { flushCompileCache } from "node:module";
import { EXIT, errorText, printable } from "@femtoclaw/protocol";
import type { LoadedConfiguration } from "../../configuration/load-configuration.ts";
import { HostProcess } from "../../process/host-process.ts";
import { requireLimits } from "../../process/process-limits.ts";
import { tellService, watchService } from "../../process/service-notice.ts";
import { releaseOnceSettled } from "../../process/unused-pages.ts";
import { type HostState, writeFailure } from "../../report/failure-reports.ts";
import { logToStderr } from "../../terminal/log.ts";
import { startLines, startText } from "../../terminal/open-ends-text.ts";
import type { CommandContext } from "../command-context.ts";

export async function up(context: CommandContext): Promise<number> {
  requireLimits();
  const loaded = context.load();
  let host: HostProcess | null = null;
  const report = (error: unknown): void => {
    const file = writeFailure(loaded.resolved.stateDirectory, error, () => stateOf(host));
    if (file !== null)
      process.stderr.write(`femtoclaw: what is known of this failure is in ${printable(file, 4_096)}\n`);
  };
  // INVARIANT: I3: after a bug, nothing in this process continues. Its journal is left as after a kill.
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
  // The first signal drains, a second one hurries. A signal that comes early takes effect once the host is up.
  let signals = 0;
  const onSignal = (): void => {
    signals += 1;
    void host?.stop({ now: signals > 1 });
  };
  for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, onSignal);
  const log = logToStderr(context.options.quiet === true ? "warn" : "info");
  let hangUps = 0;
  const reload = signalledReloads(async () => {
    await host?.reload("signal").catch((error: unknown) => {
      log({ level: "error", event: "policy.rejected", reason: errorText(error) });
    });
  });
  process.on("SIGHUP", () => {
    hangUps += 1;
    if (host !== null) reload();
  });
  host = await HostProcess.start({ loaded, load: () => context.load(), log });
  onStarted(host);
  if (signals > 0) void host.stop({ now: false });
  else if (hangUps > 0) reload();
  const { runtime, sockets } = host;
  const { phase, waiting, unresolved, not_ready } = runtime.status();
  const ready = {
    event: "ready",
    pid: process.pid,
    boot: runtime.boot,
    state: phase,
    agent_socket: sockets.agent,
    operator_socket: sockets.operator,
    waiting,
    unresolved,
    not_ready,
  };
  const { environment } = context;
  using _watched = watchService(environment, () => runtime.status().phase !== "error");
  void host.stopping.then(() => tellService(environment, "STOPPING=1"));
  const untold = tellService(environment, "READY=1");
  if (untold !== null) log({ level: "warn", event: "service.not_told", reason: untold });
  if (output.json) output.value(ready);
  else {
    output.prose(startText(ready, `process ${ready.pid}, agents at ${printable(ready.agent_socket, 4_096)}`));
    for (const line of startLines(ready)) output.talk(line);
  }
  // Done now for the next start, because a host that is killed cannot do it at its end.
  flushCompileCache();
  releaseOnceSettled();
  const fault = await Promise.race([host.stopped, runtime.failed]);
  if (fault === undefined) return EXIT.ok;
  await host.stop({ now: true });
  throw fault;
}

/**
 * Returns what to call for each signal that asks for a reload. Signals come faster than a policy can be loaded. So one reload is
 * under way at a time. All signals that arrive meanwhile ask for one more together, which begins after them and sees
 * everything that they announced.
 */
export function signalledReloads(reload: () => Promise<void>): () => void {
  let isAsked = false;
  let isReloading = false;
  const reloadAsked = async (): Promise<void> => {
    isReloading = true;
    while (isAsked) {
      isAsked = false;
      await reload();
    }
    isReloading = false;
  };
  return () => {
    isAsked = true;
    if (!isReloading) void reloadAsked();
  };
}
