/** The host: one runtime behind its sockets, until somebody stops it. */

import { join } from "node:path";
import { agentSocketName, errorText, type ReloadAnswer, SOCKET_NAMES } from "@femtoclaw/protocol";
import type { LogEntry, PolicySource, ResolvedConfiguration } from "@femtoclaw/runtime";
import type { Runtime } from "@femtoclaw/runtime/live";
import type { Telemetry } from "@femtoclaw/telemetry";
import type { LoadedConfiguration } from "../configuration/load-configuration.ts";
import { noteHost } from "../configuration/started-hosts.ts";
import { agentHandlers } from "../endpoints/agent-endpoint.ts";
import { LaunchVerbs } from "../endpoints/launch-verbs.ts";
import { endpointUrls, ObservabilityEndpoints } from "../endpoints/observability-endpoints.ts";
import { operatorHandlers } from "../endpoints/operator-endpoint.ts";
import { assertNobodyListens, prepareSocketDirectory } from "../endpoints/socket-directory.ts";
import { SocketServer } from "../endpoints/socket-server.ts";
import type { Webhook } from "../webhook/webhook.ts";
import { rememberLog, startRuntime, telemetryOf } from "./host-runtime.ts";
import type { TelemetryStatus } from "./host-status.ts";
import { loadPolicy } from "./preflight.ts";

export interface HostOptions {
  readonly loaded: LoadedConfiguration;
  /** Reads the current configuration, from the same place and with the same checks. */
  load(): LoadedConfiguration;
  log(entry: LogEntry): void;
}

/** Paths of the sockets; `agents` has those of agents with tables of their own. */
export interface HostSockets {
  readonly agent: string;
  readonly operator: string;
  readonly agents: Readonly<Record<string, string>>;
}

export class HostProcess implements AsyncDisposable {
  readonly runtime: Runtime;
  readonly sockets: HostSockets;
  readonly #servers: readonly SocketServer[];
  readonly #load: () => LoadedConfiguration;
  readonly #endpoints: ObservabilityEndpoints;
  readonly #ending = Promise.withResolvers<void>();
  readonly #stopped = Promise.withResolvers<void>();
  #webhook: Webhook | null = null;
  /** Removes the note about this host. */
  #noted: () => void = () => undefined;
  #remembering: Promise<void> | null = null;
  #stopping = false;

  private constructor(
    runtime: Runtime,
    sockets: HostSockets,
    servers: readonly SocketServer[],
    { load, endpoints }: { load(): LoadedConfiguration; readonly endpoints: ObservabilityEndpoints },
  ) {
    this.runtime = runtime;
    this.sockets = sockets;
    this.#servers = servers;
    this.#load = load;
    this.#endpoints = endpoints;
  }

  /** Starts the runtime, then listens. If either fails, this throws and leaves nothing behind. */
  static async start({ loaded, load, log }: HostOptions): Promise<HostProcess> {
    const { resolved } = loaded;
    // The folder must exist before the runtime plans what children see, because it is masked for them.
    prepareSocketDirectory(resolved.runtimeDirectory);
    const names = Object.keys(resolved.authority.agents ?? {});
    const sockets: HostSockets = {
      agent: join(resolved.runtimeDirectory, SOCKET_NAMES.agent),
      operator: join(resolved.runtimeDirectory, SOCKET_NAMES.operator),
      agents: Object.fromEntries(names.map((name) => [name, join(resolved.runtimeDirectory, agentSocketName(name))])),
    };
    const paths = [sockets.agent, sockets.operator, ...Object.values(sockets.agents)];
    for (const path of paths) await assertNobodyListens(path);
    // A missing secret is reported before anything is opened.
    const beginWebhook = await webhookOf(resolved);
    let webhook: Webhook | null = null;
    const telemetry = await hostTelemetry(resolved);
    let standing: Runtime | null = null;
    const endpoints = await ObservabilityEndpoints.listen(resolved, {
      status: () => standing?.status() ?? null,
      metrics: () => telemetry?.metrics() ?? null,
    });
    const runtime = await startRuntime(
      loaded,
      (entry) => {
        log(entry);
        if (entry.event === "approval.asked") webhook?.asked(Number(entry["id"]));
      },
      telemetry?.exporter,
    ).catch(async (error: unknown) => {
      await endpoints.close();
      throw error;
    });
    standing = runtime;
    const servers: SocketServer[] = [];
    const host = new HostProcess(runtime, sockets, servers, { load, endpoints });
    const stop = (now: boolean): void => void setImmediate(() => void host.stop({ now }));
    const telemetryStatus = (): TelemetryStatus => {
      const { otlpEndpoint = null } = resolved;
      return { otlp: otlpEndpoint, signals: telemetry?.exporter.status ?? [], endpoints: endpointUrls(resolved) };
    };
    const reload = (by: string) => host.reload(by);
    const webhookStatus = () => host.#webhook?.status ?? null;
    const { workspace } = resolved.authority;
    const launches = new LaunchVerbs({ runtime, launches: resolved.launches ?? [], workspace, log });
    const operatorParts = { runtime, sockets, telemetryStatus, webhookStatus, launches, stop, reload };
    try {
      webhook = beginWebhook?.(runtime, log) ?? null;
      host.#webhook = webhook;
      // Operators first, so that every proposer can also be stopped.
      servers.push(await SocketServer.listen(sockets.operator, () => operatorHandlers(operatorParts)));
      servers.push(await SocketServer.listen(sockets.agent, () => agentHandlers(runtime)));
      // INVARIANT: I8: which agent proposes is decided by the socket that it was given, and by nothing that it says.
      for (const [name, path] of Object.entries(sockets.agents)) {
        servers.push(await SocketServer.listen(path, () => agentHandlers(runtime, name)));
      }
      runtime.upstreams.start();
      host.#remembering = rememberLog(resolved.stateDirectory, runtime, log);
    } catch (error) {
      await host.stop({ now: true }).catch((later: unknown) => {
        log({ level: "error", event: "host.unreleased", reason: errorText(later) });
      });
      throw error;
    }
    host.#noted = notedBy(loaded, runtime.boot, log);
    return host;
  }

  /**
   * Puts the configuration's current policy in force. Resolves with its revision and the previous one, and with those
   * of the rules on trial. Any fault, also in the file itself, is recorded and thrown, and the previous policy stays in
   * force.
   */
  async reload(by: string): Promise<ReloadAnswer> {
    const before = this.runtime.policy.revision;
    const shadowBefore = this.runtime.shadow?.revision ?? null;
    let candidate: PolicySource;
    try {
      const loaded = this.#load();
      const { policyFiles } = await loadPolicy(loaded);
      candidate = { configuration: loaded.resolved, policyFiles, sources: loaded.sources };
    } catch (error) {
      await this.runtime.rejectPolicy(error, by);
      throw error;
    }
    const { revision } = await this.runtime.reload(candidate, by);
    return { revision, before, shadow: this.runtime.shadow?.revision ?? null, shadow_before: shadowBefore };
  }

  /** Resolves when the host begins to end, no matter who asked for that. */
  get stopping(): Promise<void> {
    return this.#ending.promise;
  }

  /** Resolves when the host has ended; rejects if it could not end in an orderly way. */
  get stopped(): Promise<void> {
    return this.#stopped.promise;
  }

  /** Finishes what runs and ends; `now` cancels what runs instead. A second call with `now` hurries the first. */
  stop(options: { readonly now: boolean }): Promise<void> {
    if (!this.#stopping) {
      this.#stopping = true;
      this.#ending.resolve();
      this.#end(options.now).then(this.#stopped.resolve, this.#stopped.reject);
    } else if (options.now) {
      this.runtime.hurry();
    }
    return this.#stopped.promise;
  }

  /** Closes the journal before the sockets, so that a closed connection means that everything is stored. */
  async #end(now: boolean): Promise<void> {
    this.#webhook?.stop();
    // Remembering reads the journal, so it has to be done before that is closed.
    await this.#remembering;
    try {
      await this.runtime.close(now ? { drainMs: 0 } : {});
    } finally {
      // The health endpoint closes last, so that it can report until the end that the host is ending.
      await Promise.all(this.#servers.map((server) => server.close()));
      await this.#endpoints.close();
      this.#noted();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop({ now: false });
  }
}

/** Notes this host. If that fails, the host runs all the same, and can be stopped by its configuration or a signal. */
function notedBy({ path, resolved }: LoadedConfiguration, boot: string, log: HostOptions["log"]): () => void {
  const { stateDirectory, runtimeDirectory } = resolved;
  try {
    return noteHost(process.env, { configuration: path, stateDirectory, runtimeDirectory, boot });
  } catch (error) {
    log({ level: "warn", event: "host.not_noted", reason: errorText(error) });
    return () => undefined;
  }
}

/** Loaded only if a webhook is configured. */
async function webhookOf({
  approvals: { webhook: setting },
}: ResolvedConfiguration): Promise<((runtime: Runtime, log: (entry: LogEntry) => void) => Webhook) | null> {
  if (setting === undefined) return null;
  const { Webhook, webhookKey } = await import("../webhook/webhook.ts");
  const key = await webhookKey(setting, process.env);
  return (runtime, log) => new Webhook({ setting, key, runtime, log });
}

/** Null if telemetry is neither sent nor served. */
async function hostTelemetry(resolved: ResolvedConfiguration): Promise<HostTelemetry | null> {
  if (resolved.otlpEndpoint === undefined && resolved.prometheus === undefined) return null;
  const exporter = await telemetryOf(resolved);
  const { PROMETHEUS_TYPE } = await import("@femtoclaw/telemetry");
  return {
    exporter,
    metrics: () => {
      const text = exporter.prometheus();
      return text === null ? null : { type: PROMETHEUS_TYPE, text };
    },
  };
}

interface HostTelemetry {
  readonly exporter: Telemetry;
  metrics(): { readonly type: string; readonly text: string } | null;
}
