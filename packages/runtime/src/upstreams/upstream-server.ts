/**
 * One MCP server: what it lists, what of that was accepted, and what is offered and called. It may run several times,
 * once for each view that callers have of this machine.
 */

import {
  argumentValidator,
  type Capability,
  type ContentDefinition,
  type McpServer,
  mcpToolCapability,
  type SubscriptionRequest,
  type ToolDefinition,
} from "@femtoclaw/capabilities";
import { OneByOne } from "@femtoclaw/journal/live";
import {
  type ComparedUpstream,
  EVERYBODY,
  FemtoError,
  LIMITS,
  mcpCapability,
  mcpToolName,
  type OfferedTool,
  splitMcpToolName,
  type ToolPin,
  type UpstreamView,
  type Validator,
} from "@femtoclaw/protocol";
import type { SandboxView } from "@femtoclaw/sandbox";
import type { UpstreamSetting } from "../configuration/resolve-upstreams.ts";
import type { ToolPins } from "../projection/upstream-pins.ts";
import { AcceptedDefinitions } from "./accepted-definitions.ts";
import { acceptable, type Listed, listDigest, offerOf, quarantined } from "./offer.ts";
import { QuarantineReports } from "./quarantine-reports.ts";
import type { Upstream } from "./upstream.ts";
import { pinnedEntry, quarantinedEntry, unpinnedEntry } from "./upstream-entries.ts";
import { UpstreamInstances } from "./upstream-instances.ts";
import { READERS, type UpstreamReader, upstreamReader } from "./upstream-readers.ts";
import type { UpstreamsParts } from "./upstreams-parts.ts";

/** Something that can be called: a tool, or a tool that gets resources or prompts. */
export interface Offered {
  readonly capability: Capability;
  readonly sha256: string;
  readonly contents?: readonly ContentDefinition[];
}

interface CompiledTool {
  readonly capability: Capability;
  readonly input: Validator;
}

/** What the server listed last, compared with the current pins. */
interface Offer {
  readonly listed: Listed | null;
  readonly pins: ToolPins | null | undefined;
  readonly tools: readonly OfferedTool[];
  /** By the names under which they are called. */
  readonly readers: ReadonlyMap<string, UpstreamReader>;
}

const NOTHING: Listed = { definitions: [], contents: [] };

export class UpstreamServer {
  readonly setting: UpstreamSetting;
  readonly #about: McpServer;
  readonly #parts: UpstreamsParts;
  readonly #instances: UpstreamInstances;
  readonly #compiled = new Map<string, CompiledTool>();
  readonly #accepted: AcceptedDefinitions;
  /** What the server listed last; null before it did. */
  #listed: Listed | null = null;
  #offer: Offer | null = null;
  /** The first look at the server, while it is under way. */
  #arriving: Promise<void> | null = null;
  #wasLookedAt = false;
  readonly #reports = new QuarantineReports();
  readonly #changes = new OneByOne();

  constructor(setting: UpstreamSetting, parts: UpstreamsParts) {
    this.setting = setting;
    this.#about = { name: setting.name, isSandboxed: setting.at.kind === "command" };
    this.#parts = parts;
    this.#accepted = new AcceptedDefinitions(setting.name, parts);
    this.#instances = new UpstreamInstances({
      ...parts,
      setting,
      isSandboxed: this.#about.isSandboxed,
      listingView: () => this.#listingView,
      onListed: (definitions, contents) => this.#take({ definitions, contents }),
    });
  }

  get isSandboxed(): boolean {
    return this.#about.isSandboxed;
  }

  get isEnabled(): boolean {
    return this.#parts.registered(mcpCapability(this.setting.name))?.enabled === true;
  }

  get hasListed(): boolean {
    return this.#listed !== null;
  }

  /** Whether the server was started once, whatever became of it. */
  get wasLookedAt(): boolean {
    return this.#wasLookedAt;
  }

  get state(): Upstream["state"] {
    return this.#instances.state;
  }

  get view(): UpstreamView {
    const { tools } = this.offer;
    const { status, reason } = this.state;
    return {
      server: this.setting.name,
      status: this.isEnabled ? status : "disabled",
      reason,
      pins: this.setting.pins,
      set_sha256: this.#listed === null ? null : listDigest(tools),
      tools,
    };
  }

  /** The view, with what changed of each tool since it was accepted. */
  async compared(): Promise<ComparedUpstream> {
    return await this.#accepted.compared(this.view, this.#pins, this.#listed ?? NOTHING);
  }

  /** The list and the pins are replaced as a whole, so one offer computed from both is valid until then. */
  get offer(): Offer {
    const listed = this.#listed;
    const pins = this.#pins;
    if (this.#offer !== null && this.#offer.listed === listed && this.#offer.pins === pins) return this.#offer;
    const tools = offerOf(listed ?? NOTHING, pins, this.setting);
    const readers = READERS.flatMap((reader) => {
      const found = upstreamReader(this.#about, reader, listed ?? NOTHING, tools, (question) =>
        this.upstream(question.view).ask(question),
      );
      return found === null ? [] : [[mcpToolName(this.setting.name, reader), found] as const];
    });
    this.#offer = { listed, pins, tools, readers: new Map(readers) };
    return this.#offer;
  }

  /** Everything of this server that may be called; nothing while it is disabled. */
  get offered(): Offered[] {
    if (!this.isEnabled) return [];
    const { tools, readers } = this.offer;
    const offered = new Set(tools.flatMap(({ name, state }) => (state === "offered" ? [name] : [])));
    const { definitions } = this.#listed ?? NOTHING;
    return [
      ...definitions
        .filter(({ name }) => offered.has(name))
        .map((definition) => ({ capability: this.compiled(definition).capability, sha256: definition.sha256 })),
      ...[...readers.values()].flatMap(({ capability, accepted, sha256 }) =>
        accepted.length === 0 ? [] : [{ capability, sha256, contents: accepted }],
      ),
    ];
  }

  /** Whether what a subscription was decided on is still offered unchanged. */
  isOffered({ pin, sha256 }: SubscriptionRequest["definition"]): boolean {
    if (!this.isEnabled) return false;
    return this.offer.tools.some((one) => one.name === pin && one.sha256 === sha256 && one.state === "offered");
  }

  /** Resolves when the first look at the server is over, whatever it found. */
  arrive(): Promise<void> {
    this.#arriving ??= this.upstream(this.#listingView)
      .ready()
      .catch(() => undefined)
      .finally(() => {
        this.#arriving = null;
        this.#wasLookedAt = true;
      });
    return this.#arriving;
  }

  /** Looks again as if for the first time, so that calls wait for it. */
  lookAnew(): void {
    this.#wasLookedAt = false;
    void this.arrive();
  }

  /** The first look at the server, while it is under way. */
  get arriving(): Promise<void> | null {
    return this.#arriving;
  }

  /** Finds a tool by the name under which it is called; null if it cannot be offered. */
  toolOf(name: string): { readonly tool: OfferedTool; readonly definition: ToolDefinition } | null {
    const called = splitMcpToolName(name)?.tool;
    const tool = this.offer.tools.find((one) => one.name === called);
    const definition = this.#listed?.definitions.find((one) => one.name === called);
    if (tool === undefined || definition === undefined) return null;
    return tool.state === "refused" || tool.state === "excluded" ? null : { tool, definition };
  }

  compiled(definition: ToolDefinition): CompiledTool {
    const known = this.#compiled.get(definition.sha256);
    if (known !== undefined) return known;
    const capability = mcpToolCapability(this.#about, definition, ({ definition: called, view, args, ...asking }) =>
      this.upstream(view).call(called, args, asking),
    );
    const compiled = { capability, input: argumentValidator(definition.input) };
    this.#compiled.set(definition.sha256, compiled);
    return compiled;
  }

  /** The instance that runs for callers with this view. */
  upstream(view: SandboxView | null): Upstream {
    return this.#instances.of(view);
  }

  /**
   * Accepts tools as an operator saw them. Durable when this resolves. INVARIANT: I8: what is accepted is what was
   * seen: a server that changed since is compared with the digests that the operator named.
   */
  async accept(tools: readonly ToolPin[], by: string): Promise<void> {
    await this.#changes.run(async () => {
      const pins = { ...this.#pins, ...Object.fromEntries(tools.map((one) => [one.name, one.sha256])) };
      const { definitions, contents } = this.#listed ?? NOTHING;
      const listed = new Set([...definitions.map((tool) => tool.name), ...contents.map(({ pin }) => pin)]);
      const kept = Object.entries(pins).filter(([tool]) => listed.has(tool) || tools.some((one) => one.name === tool));
      await this.#pin(
        kept.map(([tool, sha256]) => ({ name: tool, sha256 })),
        by,
      );
      await this.#accepted.keep(this.#pins, this.#listed ?? NOTHING);
    });
    this.#parts.onOffered();
  }

  /** Revokes everything that was accepted. Durable when this resolves. */
  async reset(by: string): Promise<void> {
    await this.#changes.run(async () => {
      await this.#parts.append(unpinnedEntry(this.setting.name, by));
    });
    this.#parts.onOffered();
  }

  /** Ends instances for a view that nobody has any more, or all of them if the server is disabled. */
  review(views: ReadonlySet<string>): void {
    if (this.isEnabled) this.#instances.review(views);
    else this.#instances.endAll();
  }

  async stop(reason: string): Promise<void> {
    await this.#instances.stop(reason);
  }

  get #listingView(): SandboxView | null {
    return this.#parts.standing(EVERYBODY).sandbox;
  }

  get #pins(): ToolPins | null | undefined {
    return this.#parts.pins().of(this.setting.name);
  }

  /** Compares the list with what was accepted. The very first list is accepted if the configuration says so. */
  async #take(listed: Listed): Promise<void> {
    const { setting } = this;
    await this.#changes.run(async () => {
      const pins = this.#pins;
      const offer = offerOf(listed, pins, setting);
      if (pins === undefined && setting.pins === "first_use") await this.#pin(acceptable(offer), null);
      else await this.#reportQuarantine(offer);
      const digests = new Set(listed.definitions.map(({ sha256 }) => sha256));
      for (const sha256 of this.#compiled.keys()) if (!digests.has(sha256)) this.#compiled.delete(sha256);
      const before = this.#listed === null ? null : listDigest(offerOf(this.#listed, null, setting));
      this.#listed = listed;
      await this.#accepted.keep(this.#pins, listed);
      if (before !== listDigest(offerOf(listed, null, setting))) this.#parts.onOffered();
    });
  }

  async #reportQuarantine(offer: readonly OfferedTool[]): Promise<void> {
    const tools = quarantined(offer);
    if (tools.length === 0 || !this.#reports.isDue(listDigest(offer))) return;
    const { name } = this.setting;
    const fix = `\`femtoclaw mcp pins list\` shows them; \`femtoclaw mcp pins accept ${name}\` offers them.`;
    this.#parts.log({ level: "warn", event: "upstream.quarantined", server: name, tools: tools.length, fix });
    await this.#parts.append(quarantinedEntry(name, offer));
  }

  async #pin(tools: readonly ToolPin[], by: string | null): Promise<void> {
    if (tools.length > LIMITS.upstreamPins) {
      throw new FemtoError("FEMTO_USAGE", `no more than ${LIMITS.upstreamPins} pins of one server are accepted`);
    }
    await this.#parts.append(pinnedEntry(this.setting.name, tools, by));
  }
}
