/**
 * The MCP servers of others: which tools of them are offered, what was accepted of them, and who calls them. One server
 * may run several times, once for each view that callers have of this machine.
 */
import {
  argumentValidator,
  type Capability,
  type ContentDefinition,
  type HostNames,
  type McpServer,
  mcpToolCapability,
  type SecretLookUp,
  type SubscriptionRequest,
  type ToolDefinition,
} from "@femtoclaw/capabilities";
import type { Clock, JournalEntry } from "@femtoclaw/journal";
import {
  FemtoError,
  isReader,
  LIMITS,
  mcpCapability,
  mcpToolName,
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
import type { ToolPins, UpstreamPins } from "../projection/upstream-pins.ts";
import type { SubscriptionListener } from "../relay/subscriptions.ts";
import { connectUpstream } from "./connect-upstream.ts";
import { acceptable, type Listed, listDigest, type OfferedTool, offerOf, quarantined } from "./offer.ts";
import { pinnedEntry, quarantinedEntry, unpinnedEntry } from "./pin-entries.ts";
import { quarantineProblem } from "./quarantine-problem.ts";
import { Upstream, viewKey } from "./upstream.ts";
import { READERS, type UpstreamReader, upstreamReader } from "./upstream-readers.ts";

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
  /** Hears that what is offered may be something else. */
  onOffered(): void;
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
  listed: Listed | null;
  /** That, held to the pins of the moment. */
  offer: Offer | null;
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

/** One that is called: a tool, or what gets resources or prompts. */
interface Offered {
  readonly server: Server;
  readonly capability: Capability;
  readonly sha256: string;
  readonly contents?: readonly ContentDefinition[];
}

interface Offer {
  readonly listed: Listed | null;
  readonly pins: ToolPins | null | undefined;
  readonly tools: readonly OfferedTool[];
  /** By the names that they are called by. */
  readonly readers: ReadonlyMap<string, UpstreamReader>;
}

const NOTHING: Listed = { definitions: [], contents: [] };

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
          listed: null,
          offer: null,
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
    if (server === undefined || server.listed !== null || !this.#isEnabled(server)) return null;
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
    if (base === undefined) return undefined;
    const { output } = base.validators;
    const reader = this.#held(server).readers.get(name);
    if (reader !== undefined) {
      const { capability, input, problemOf } = reader;
      return { ...base, capability, validators: { input, output }, secrets: NO_SECRETS, problemOf };
    }
    const found = this.#toolOf(server, name);
    if (found === null) return undefined;
    const { capability, input } = this.#compiled(server, found.definition);
    const problem = quarantineProblem("tool", found.tool, server.setting.name);
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
    const called = splitMcpToolName(name)?.tool ?? "";
    const refused = this.#held(server).tools.find((one) => one.name === called);
    const { reason } = this.#stateOf(server);
    const why =
      refused?.state === "refused"
        ? `offers this tool, but ${refused.problem ?? "it cannot be offered on"}`
        : server.listed === null
          ? `is not there: ${reason ?? "it is being started"}`
          : isReader(called)
            ? "offers nothing that it could get"
            : "offers no such tool";
    const fix = "Use a tool that is listed. An operator sees with `femtoclaw mcp pins list` what the server offers.";
    return { code: "FEMTO_CAPABILITY_NOT_FOUND", reason: `the MCP server ${server.setting.name} ${why}`, fix };
  }

  /** The accepted tools of enabled servers, as an agent sees them. */
  tools(): ToolDescription[] {
    return this.#offered().map(({ capability, contents }) => {
      const { name, version, description, input, output, effect, idempotent } = capability.manifest;
      const offers = contents?.map(({ kind, name: named, about }) => ({ kind, name: named, about }));
      const described = { name, version, description, input, output, effect, idempotent };
      return offers === undefined ? described : { ...described, offers };
    });
  }

  /** The same as operators see capabilities. */
  capabilities(): RegisteredCapability[] {
    return this.#offered().map(({ capability, sha256, server }) => ({
      name: capability.manifest.name,
      version: capability.manifest.version,
      sha256,
      enabled: true,
      source: "configuration",
      locked: false,
      isolation: server.about.isSandboxed ? "sandbox" : "host",
      origin: "mcp",
    }));
  }

  /** Listens to a resource of a server; what it returns ends that. */
  async listen(request: SubscriptionRequest, listener: SubscriptionListener): Promise<() => void> {
    return await this.#upstream(this.#known(request.server), request.view).subscribe(request, listener);
  }

  /** Whether what a subscription was decided on is offered as it was. */
  isOffered({ server: name, definition: { pin, sha256 } }: SubscriptionRequest): boolean {
    const server = this.#servers.get(name);
    const isOffered = ({ name: one, sha256: now, state }: OfferedTool): boolean =>
      one === pin && now === sha256 && state === "offered";
    return server !== undefined && this.#isEnabled(server) && this.#held(server).tools.some(isOffered);
  }

  list(): UpstreamView[] {
    return [...this.#servers.values()].map((server) => {
      const { tools: offer } = this.#held(server);
      const { status, reason } = this.#stateOf(server);
      return {
        server: server.setting.name,
        status: this.#isEnabled(server) ? status : "disabled",
        reason,
        pins: server.setting.pins,
        set_sha256: server.listed === null ? null : listDigest(offer),
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
      const { definitions, contents } = server.listed ?? NOTHING;
      const listed = new Set([...definitions.map((tool) => tool.name), ...contents.map(({ pin }) => pin)]);
      const kept = Object.entries(pins).filter(([tool]) => listed.has(tool) || tools.some((one) => one.name === tool));
      await this.#pin(
        server,
        kept.map(([tool, sha256]) => ({ name: tool, sha256 })),
        by,
      );
    });
    this.#parts.onOffered();
  }

  /** Takes back everything that was accepted; durable when it resolves. */
  async reset(name: string, by: string): Promise<void> {
    const server = this.#known(name);
    await this.#change(server, async () => {
      await this.#parts.append(unpinnedEntry(name, by));
    });
    this.#parts.onOffered();
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

  #offered(): Offered[] {
    return [...this.#servers.values()].flatMap((server) => {
      if (!this.#isEnabled(server)) return [];
      const { tools, readers } = this.#held(server);
      const offered = new Set(tools.flatMap(({ name, state }) => (state === "offered" ? [name] : [])));
      const { definitions } = server.listed ?? NOTHING;
      return [
        ...definitions
          .filter(({ name }) => offered.has(name))
          .map((definition) => {
            const { capability } = this.#compiled(server, definition);
            return { server, capability, sha256: definition.sha256 };
          }),
        ...[...readers.values()].flatMap(({ capability, accepted, sha256 }) =>
          accepted.length === 0 ? [] : [{ server, capability, sha256, contents: accepted }],
        ),
      ];
    });
  }

  #toolOf(server: Server, name: string): { readonly tool: OfferedTool; readonly definition: ToolDefinition } | null {
    const called = splitMcpToolName(name)?.tool;
    const tool = this.#held(server).tools.find((one) => one.name === called);
    const definition = server.listed?.definitions.find((one) => one.name === called);
    if (tool === undefined || definition === undefined) return null;
    return tool.state === "refused" || tool.state === "excluded" ? null : { tool, definition };
  }

  #compiled(
    server: Server,
    definition: ToolDefinition,
  ): { readonly capability: Capability; readonly input: Validator } {
    const known = server.compiled.get(definition.sha256);
    if (known !== undefined) return known;
    const capability = mcpToolCapability(server.about, definition, ({ definition: called, view, args, ...asking }) =>
      this.#upstream(server, view).call(called, args, asking),
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
      connect: (onNotification) => connectUpstream(server.setting, view, this.#parts, onNotification),
      onListed: async (definitions, contents) => {
        if (isList) await this.#listed(server, { definitions, contents });
      },
      onDown: (reason) => log({ level: "warn", event: "upstream.stopped", server: server.setting.name, reason }),
    });
    server.running.set(key, upstream);
    return upstream;
  }

  /** Holds what a server lists to what was accepted; the first list of all is accepted where the configuration says so. */
  async #listed(server: Server, listed: Listed): Promise<void> {
    const { setting } = server;
    await this.#change(server, async () => {
      const isFirst = this.#parts.pins().of(setting.name) === undefined && setting.pins === "first_use";
      const offer = offerOf(listed, this.#parts.pins().of(setting.name), setting);
      if (isFirst) await this.#pin(server, acceptable(offer), null);
      else await this.#tellQuarantine(server, offer);
      const digests = new Set(listed.definitions.map(({ sha256 }) => sha256));
      for (const sha256 of server.compiled.keys()) if (!digests.has(sha256)) server.compiled.delete(sha256);
      const before = server.listed === null ? null : listDigest(offerOf(server.listed, null, setting));
      server.listed = listed;
      if (before !== listDigest(offerOf(listed, null, setting))) this.#parts.onOffered();
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
    if (tools.length > LIMITS.upstreamPins) {
      throw new FemtoError("FEMTO_USAGE", `no more than ${LIMITS.upstreamPins} pins of one server are accepted`);
    }
    await this.#parts.append(pinnedEntry(server.setting.name, tools, by));
  }

  /** Each change sees what the one before it left. */
  async #change(server: Server, change: () => Promise<void>): Promise<void> {
    const changed = server.changing.then(change);
    server.changing = changed.catch(() => undefined);
    await changed;
  }

  /** What it lists and what was accepted change as wholes, so that one look at both lasts until then. */
  #held(server: Server): Offer {
    const { setting, about, listed, offer } = server;
    const pins = this.#parts.pins().of(setting.name);
    if (offer !== null && offer.listed === listed && offer.pins === pins) return offer;
    const tools = offerOf(listed ?? NOTHING, pins, setting);
    const readers = READERS.flatMap((reader) => {
      const found = upstreamReader(about, reader, listed ?? NOTHING, tools, (question) =>
        this.#upstream(server, question.view).ask(question),
      );
      return found === null ? [] : [[mcpToolName(setting.name, reader), found] as const];
    });
    server.offer = { listed, pins, tools, readers: new Map(readers) };
    return server.offer;
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
    return this.#servers.size > 0 && [...this.#servers.keys()].some((server) => mcpCapability(server) === name);
  }

  #known(name: string): Server {
    const server = this.#servers.get(name);
    if (server !== undefined) return server;
    throw new FemtoError("FEMTO_UPSTREAM_NOT_FOUND", `no MCP server is called ${printable(name, 64)}`);
  }
}
