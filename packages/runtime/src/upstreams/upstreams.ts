/**
 * The MCP servers of others: which tools of them are offered, what was accepted of them, and who calls them. One server
 * may run several times, once for each view that callers have of this machine.
 */
import assert from "node:assert/strict";
import {
  argumentValidator,
  type Capability,
  type HostNames,
  HttpTransport,
  type McpServer,
  mcpToolCapability,
  type SecretLookUp,
  StdioTransport,
  type ToolDefinition,
  type UpstreamTransport,
  upstreamHost,
} from "@femtoclaw/capabilities";
import type { Clock, JournalEntry } from "@femtoclaw/journal";
import {
  FemtoError,
  LIMITS,
  mcpCapability,
  printable,
  type RegisteredCapability,
  splitMcpToolName,
  type ToolDescription,
  type ToolPin,
  type Validator,
} from "@femtoclaw/protocol";
import type { SandboxView } from "@femtoclaw/sandbox";
import type { ResolvedConfiguration } from "../configuration/resolve-configuration.ts";
import type { UpstreamSetting } from "../configuration/resolve-upstreams.ts";
import { NO_SECRETS } from "../gate/argument-validators.ts";
import type { Registered, Standing } from "../gate/gate-parts.ts";
import type { Problem } from "../gate/verdict.ts";
import type { LogEntry } from "../options.ts";
import type { UpstreamPins } from "../projection/upstream-pins.ts";
import { acceptable, listDigest, type OfferedTool, offerOf, quarantined } from "./offer.ts";
import { pinnedEntry, quarantinedEntry, unpinnedEntry } from "./pin-entries.ts";
import { Upstream } from "./upstream.ts";

export interface UpstreamsParts {
  readonly configuration: Pick<ResolvedConfiguration, "upstreams" | "upstreamEnvironment">;
  readonly clock: Clock;
  readonly names: HostNames;
  readonly secrets: SecretLookUp;
  /** What the registry says of a capability, that of a server among them. */
  registered(name: string): Registered | undefined;
  standing(principal: string): Standing;
  /** Principals with a view of their own, and everybody. */
  readonly principals: readonly string[];
  pins(): Pick<UpstreamPins, "of">;
  append(entry: JournalEntry): Promise<{ readonly seq: number }>;
  log(entry: LogEntry): void;
}

/** How a server fares, for operators. */
export interface UpstreamView {
  readonly server: string;
  readonly status: "running" | "stopped" | "disabled";
  /** Why it does not run; null where it does, or never had to. */
  readonly reason: string | null;
  readonly pins: UpstreamSetting["pins"];
  /** Digest of everything that it lists; null before it did. */
  readonly set_sha256: string | null;
  readonly tools: readonly OfferedTool[];
}

interface Server {
  readonly setting: UpstreamSetting;
  readonly about: McpServer;
  /** By the view that they have. */
  readonly running: Map<string, Upstream>;
  /** What it listed last; null before it did. */
  definitions: readonly ToolDefinition[] | null;
  readonly compiled: Map<string, { readonly capability: Capability; readonly input: Validator }>;
  /** The first look at it, while that lasts. */
  arriving: Promise<void> | null;
  /** Whether it was started once, whatever became of it. */
  wasLookedAt: boolean;
  /** The list that was recorded as quarantined last. */
  told: string | null;
  tellings: number;
  changing: Promise<unknown>;
}

/** Whose view the list of a server is made in. */
const EVERYBODY = "default";
/** LIMIT: records of one boot about what one server changed; it may change something each time it is asked. */
const TELLINGS = 64;

export class Upstreams {
  readonly #parts: UpstreamsParts;
  readonly #servers: ReadonlyMap<string, Server>;
  /** Calls that wait for the first look at a server. */
  #waiting = 0;

  constructor(parts: UpstreamsParts) {
    this.#parts = parts;
    this.#servers = new Map(
      parts.configuration.upstreams.map((setting) => [
        setting.name,
        {
          setting,
          about: { name: setting.name, isSandboxed: setting.at.kind === "command" },
          running: new Map(),
          definitions: null,
          compiled: new Map(),
          arriving: null,
          wasLookedAt: false,
          told: null,
          tellings: 0,
          changing: Promise.resolve(),
        },
      ]),
    );
  }

  /** Starts all that are enabled, side by side; nobody waits for them. */
  start(): void {
    for (const server of this.#servers.values()) {
      if (this.#isEnabled(server)) void this.#arrive(server);
    }
  }

  /** Resolves when no server is still on its way. */
  async settled(): Promise<void> {
    await Promise.all([...this.#servers.values()].map(({ arriving }) => arriving));
  }

  /**
   * Resolves when it is known what the server of the tool offers; null where it is known. INVARIANT: I9: a call that
   * waits holds a place that others need, so a few wait for the first look at a server, and nobody for a later one.
   */
  arriving(tool: string): Promise<void> | null {
    const server = this.#serverOf(tool);
    if (server === undefined || server.definitions !== null || !this.#isEnabled(server)) return null;
    const arriving = this.#arrive(server);
    if (server.wasLookedAt || this.#waiting >= LIMITS.upstreamWaiting) return null;
    this.#waiting += 1;
    return arriving.finally(() => {
      this.#waiting -= 1;
    });
  }

  /** A tool of a server, or a capability that is none. A server itself is nothing that is called. */
  registered(name: string): Registered | undefined {
    const server = this.#serverOf(name);
    if (server === undefined) return this.#isServer(name) ? undefined : this.#parts.registered(name);
    const base = this.#parts.registered(mcpCapability(server.setting.name));
    const found = this.#toolOf(server, name);
    if (base === undefined || found === null) return undefined;
    const { capability, input } = this.#compiled(server, found.definition);
    const { output } = base.validators;
    const problem = quarantineProblem(found.tool, server.setting.name);
    return {
      ...base,
      capability,
      validators: { input, output },
      secrets: NO_SECRETS,
      ...(problem === null ? {} : { problem }),
    };
  }

  /** Why there is no such tool, where it would be one of a server that is known. */
  absent(name: string): Problem | null {
    const server = this.#serverOf(name);
    if (server === undefined) return null;
    const { name: called } = server.setting;
    const refused = this.#offer(server).find((one) => one.name === splitMcpToolName(name)?.tool);
    const { reason } = this.#stateOf(server);
    const why =
      refused?.state === "refused"
        ? `offers this tool, but ${refused.problem ?? "it cannot be offered on"}`
        : server.definitions === null
          ? `is not there: ${reason ?? "it is being started"}`
          : "offers no such tool";
    const fix = "Use a tool that is listed. An operator sees with `femtoclaw mcp pins list` what the server offers.";
    return { code: "FEMTO_CAPABILITY_NOT_FOUND", reason: `the MCP server ${called} ${why}`, fix };
  }

  /** The accepted tools of enabled servers, as an agent sees them. */
  tools(): ToolDescription[] {
    return this.#offered().map(({ capability }) => {
      const { name, version, description, input, output, effect, idempotent } = capability.manifest;
      return { name, version, description, input, output, effect, idempotent };
    });
  }

  /** The same as operators see capabilities. */
  capabilities(): RegisteredCapability[] {
    return this.#offered().map(({ capability, definition, server }) => ({
      name: capability.manifest.name,
      version: capability.manifest.version,
      sha256: definition.sha256,
      enabled: true,
      source: "configuration",
      locked: false,
      isolation: server.about.isSandboxed ? "sandbox" : "host",
      origin: "mcp",
    }));
  }

  list(): UpstreamView[] {
    return [...this.#servers.values()].map((server) => {
      const offer = this.#offer(server);
      const { status, reason } = this.#stateOf(server);
      return {
        server: server.setting.name,
        status: this.#isEnabled(server) ? status : "disabled",
        reason,
        pins: server.setting.pins,
        set_sha256: server.definitions === null ? null : listDigest(offer),
        tools: offer,
      };
    });
  }

  /**
   * Accepts tools as an operator saw them; durable when it resolves. INVARIANT: I8: what is accepted is what was seen:
   * a server that changed since is held to the digests that the operator named.
   */
  async accept(name: string, tools: readonly ToolPin[], by: string): Promise<void> {
    const server = this.#known(name);
    await this.#change(server, async () => {
      const pins = {
        ...this.#parts.pins().of(name),
        ...Object.fromEntries(tools.map((one) => [one.name, one.sha256])),
      };
      const listed = new Set((server.definitions ?? []).map((definition) => definition.name));
      const kept = Object.entries(pins).filter(([tool]) => listed.has(tool) || tools.some((one) => one.name === tool));
      await this.#pin(
        server,
        kept.map(([tool, sha256]) => ({ name: tool, sha256 })),
        by,
      );
    });
  }

  /** Takes back everything that was accepted; durable when it resolves. */
  async reset(name: string, by: string): Promise<void> {
    const server = this.#known(name);
    await this.#change(server, async () => {
      await this.#parts.append(unpinnedEntry(name, by));
    });
  }

  /** Ends what runs for a view that nobody has any more, or of a server that was disabled. */
  review(): void {
    const views = new Set(this.#parts.principals.map((one) => viewKey(this.#parts.standing(one).sandbox)));
    for (const server of this.#servers.values()) {
      for (const [key, upstream] of server.running) {
        if (this.#isEnabled(server) && (!server.about.isSandboxed || views.has(key))) continue;
        server.running.delete(key);
        void upstream.stop("it was disabled, or what programs may see has changed");
      }
    }
  }

  async stop(reason: string): Promise<void> {
    const running = [...this.#servers.values()].flatMap((server) => [...server.running.values()]);
    await Promise.all(running.map((upstream) => upstream.stop(reason)));
  }

  #arrive(server: Server): Promise<void> {
    server.arriving ??= this.#upstream(server, this.#parts.standing(EVERYBODY).sandbox)
      .ready()
      .catch(() => undefined)
      .finally(() => {
        server.arriving = null;
        server.wasLookedAt = true;
      });
    return server.arriving;
  }

  #offered(): { readonly server: Server; readonly definition: ToolDefinition; readonly capability: Capability }[] {
    return [...this.#servers.values()].flatMap((server) => {
      if (!this.#isEnabled(server)) return [];
      const offered = new Set(this.#offer(server).flatMap(({ name, state }) => (state === "offered" ? [name] : [])));
      return (server.definitions ?? [])
        .filter(({ name }) => offered.has(name))
        .map((definition) => ({ server, definition, capability: this.#compiled(server, definition).capability }));
    });
  }

  #toolOf(server: Server, name: string): { readonly tool: OfferedTool; readonly definition: ToolDefinition } | null {
    const called = splitMcpToolName(name)?.tool;
    const tool = this.#offer(server).find((one) => one.name === called);
    const definition = (server.definitions ?? []).find((one) => one.name === called);
    if (tool === undefined || definition === undefined) return null;
    return tool.state === "refused" || tool.state === "excluded" ? null : { tool, definition };
  }

  #compiled(
    server: Server,
    definition: ToolDefinition,
  ): { readonly capability: Capability; readonly input: Validator } {
    const known = server.compiled.get(definition.sha256);
    if (known !== undefined) return known;
    const capability = mcpToolCapability(server.about, definition, ({ view, args, signal, bytesMax, ...call }) =>
      this.#upstream(server, view).call(call.definition, args, signal, bytesMax),
    );
    const compiled = { capability, input: argumentValidator(definition.input) };
    server.compiled.set(definition.sha256, compiled);
    return compiled;
  }

  #upstream(server: Server, view: SandboxView | null): Upstream {
    const key = server.about.isSandboxed ? viewKey(view) : "";
    const known = server.running.get(key);
    if (known !== undefined) return known;
    const { clock, append, log } = this.#parts;
    const isList = key === (server.about.isSandboxed ? viewKey(this.#parts.standing(EVERYBODY).sandbox) : "");
    const upstream = new Upstream({
      setting: server.setting,
      clock,
      append,
      connect: (onNotification) => this.#connect(server.setting, view, onNotification),
      onListed: async (definitions) => {
        if (isList) await this.#listed(server, definitions);
      },
      onDown: (reason) => log({ level: "warn", event: "upstream.stopped", server: server.setting.name, reason }),
    });
    server.running.set(key, upstream);
    return upstream;
  }

  #connect(
    { name, at }: UpstreamSetting,
    view: SandboxView | null,
    onNotification: (method: string) => void,
  ): UpstreamTransport {
    const { names, secrets, configuration } = this.#parts;
    if (at.kind === "url") {
      const { url, headers } = at;
      return new HttpTransport({ bound: () => upstreamHost({ url, headers, names, secrets }), headers });
    }
    // INVARIANT: without a sandbox no program runs.
    if (view === null) throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", "this machine has no sandbox to run it in");
    const { program, realPath, args } = at;
    const environment = configuration.upstreamEnvironment[name] ?? {};
    const command = { program, realPath, args, cwd: view.authority.workspace, environment };
    const registered = this.#parts.registered(mcpCapability(name));
    assert(registered !== undefined, "a server is registered as a capability");
    return new StdioTransport({ view, command, limits: registered.child, onNotification });
  }

  /** Holds what a server lists to what was accepted; the first list of all is accepted where the configuration says so. */
  async #listed(server: Server, definitions: readonly ToolDefinition[]): Promise<void> {
    const { setting } = server;
    await this.#change(server, async () => {
      const isFirst = this.#parts.pins().of(setting.name) === undefined && setting.pins === "first_use";
      const offer = offerOf(definitions, this.#parts.pins().of(setting.name), setting);
      if (isFirst) await this.#pin(server, acceptable(offer), null);
      else await this.#tellQuarantine(server, offer);
      const digests = new Set(definitions.map(({ sha256 }) => sha256));
      for (const sha256 of server.compiled.keys()) if (!digests.has(sha256)) server.compiled.delete(sha256);
      server.definitions = definitions;
    });
  }

  async #tellQuarantine(server: Server, offer: readonly OfferedTool[]): Promise<void> {
    const tools = quarantined(offer);
    const digest = listDigest(offer);
    if (tools.length === 0 || digest === server.told || server.tellings >= TELLINGS) return;
    server.told = digest;
    server.tellings += 1;
    const { name } = server.setting;
    const fix = `\`femtoclaw mcp pins list\` shows them; \`femtoclaw mcp pins accept ${name}\` offers them.`;
    this.#parts.log({ level: "warn", event: "upstream.quarantined", server: name, tools: tools.length, fix });
    await this.#parts.append(quarantinedEntry(name, offer));
  }

  async #pin(server: Server, tools: readonly ToolPin[], by: string | null): Promise<void> {
    if (tools.length > LIMITS.upstreamTools) {
      throw new FemtoError("FEMTO_USAGE", `no more than ${LIMITS.upstreamTools} tools of one server are accepted`);
    }
    await this.#parts.append(pinnedEntry(server.setting.name, tools, by));
  }

  /** Each change sees what the one before it left. */
  async #change(server: Server, change: () => Promise<void>): Promise<void> {
    const changed = server.changing.then(change);
    server.changing = changed.catch(() => undefined);
    await changed;
  }

  #offer(server: Server): OfferedTool[] {
    return offerOf(server.definitions ?? [], this.#parts.pins().of(server.setting.name), server.setting);
  }

  #stateOf(server: Server): { readonly status: "running" | "stopped"; readonly reason: string | null } {
    const states = [...server.running.values()].map(({ state }) => state);
    const runs = states.find(({ status }) => status === "running");
    return runs ?? states[0] ?? { status: "stopped", reason: null };
  }

  #isEnabled({ setting }: Server): boolean {
    return this.#parts.registered(mcpCapability(setting.name))?.enabled === true;
  }

  #serverOf(tool: string): Server | undefined {
    const named = splitMcpToolName(tool);
    return named === null ? undefined : this.#servers.get(named.server);
  }

  #isServer(name: string): boolean {
    return [...this.#servers.keys()].some((server) => mcpCapability(server) === name);
  }

  #known(name: string): Server {
    const server = this.#servers.get(name);
    if (server !== undefined) return server;
    throw new FemtoError("FEMTO_UPSTREAM_NOT_FOUND", `no MCP server is called ${printable(name, 64)}`);
  }
}

function quarantineProblem({ state, name }: OfferedTool, server: string): Problem | null {
  if (state === "offered") return null;
  const how = state === "new" ? "is new" : "is not what was accepted";
  const reason = `the tool ${printable(name, 64)} of the MCP server ${server} ${how}, and is offered only once an operator agrees`;
  return { code: "FEMTO_TOOL_QUARANTINED", reason };
}

/** Views that show the same are one. */
function viewKey(view: SandboxView | null): string {
  return view === null ? "" : JSON.stringify([view.mounts, view.authority.environmentNames, view.authority.workspace]);
}
