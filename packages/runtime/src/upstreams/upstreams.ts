/** The MCP servers: which of them a name belongs to, and what they offer together. */

import type { SubscriptionRequest } from "@femtoclaw/capabilities";
import {
  type ComparedUpstream,
  FemtoError,
  frozen,
  isReader,
  LIMITS,
  mcpCapability,
  printable,
  type RegisteredCapability,
  requireText,
  splitMcpToolName,
  type ToolDescription,
  type ToolPin,
  type UpstreamView,
} from "@femtoclaw/protocol";
import type { Registered } from "../gate/gate-parts.ts";
import { NO_SECRETS } from "../gate/schemas/argument-validators.ts";
import type { Problem } from "../gate/verdict.ts";
import type { SubscriptionListener } from "../relay/subscriptions.ts";
import { quarantineProblem } from "./offer.ts";
import { takenPins } from "./taken-pins.ts";
import { viewKey } from "./upstream.ts";
import { UpstreamServer } from "./upstream-server.ts";
import type { UpstreamsParts } from "./upstreams-parts.ts";

export class Upstreams {
  readonly #parts: UpstreamsParts;
  readonly #servers: ReadonlyMap<string, UpstreamServer>;
  /** Calls that wait for the first look at a server. */
  #waiting = 0;

  constructor(parts: UpstreamsParts) {
    this.#parts = parts;
    this.#servers = new Map(
      parts.configuration.upstreams.map((setting) => [setting.name, new UpstreamServer(setting, parts)]),
    );
  }

  /** Starts all enabled servers in parallel; nobody waits for them. */
  start(): void {
    for (const server of this.#servers.values()) {
      if (server.isEnabled) void server.arrive();
    }
  }

  /** Looks again at the servers that have not listed anything yet: what they lacked may be there by now. */
  lookAnew(): void {
    for (const server of this.#servers.values()) {
      if (server.isEnabled && !server.hasListed) server.lookAnew();
    }
  }

  /** Resolves when no server is still starting. */
  async settled(): Promise<void> {
    await Promise.all([...this.#servers.values()].map(({ arriving }) => arriving));
  }

  /**
   * Resolves when it is known what the server of the tool offers; null if that is known already. INVARIANT: I9: a
   * waiting call holds a place that others need, so only a few wait for the first look at a server, and none for a
   * later one.
   */
  arriving(tool: string): Promise<void> | null {
    const server = this.#serverOf(tool);
    if (server === undefined || server.hasListed || !server.isEnabled) return null;
    const arriving = server.arrive();
    if (server.wasLookedAt || this.#waiting >= LIMITS.upstreamWaiting) return null;
    this.#waiting += 1;
    return arriving.finally(() => {
      this.#waiting -= 1;
    });
  }

  /** A tool of a server, or a capability that is not from a server. A server itself cannot be called. */
  registered(name: string): Registered | undefined {
    const server = this.#serverOf(name);
    if (server === undefined) return this.#isServer(name) ? undefined : this.#parts.registered(name);
    const base = this.#parts.registered(mcpCapability(server.setting.name));
    if (base === undefined) return undefined;
    const { output } = base.validators;
    const reader = server.offer.readers.get(name);
    if (reader !== undefined) {
      const { capability, input, problemOf } = reader;
      return { ...base, capability, validators: { input, output }, secrets: NO_SECRETS, problemOf };
    }
    const found = server.toolOf(name);
    if (found === null) return undefined;
    const { capability, input } = server.compiled(found.definition);
    const problem = quarantineProblem("tool", found.tool, server.setting.name);
    return {
      ...base,
      capability,
      validators: { input, output },
      secrets: NO_SECRETS,
      ...(problem === null ? {} : { problem }),
    };
  }

  /** Why this tool does not exist, if its name belongs to a known server. */
  absent(name: string): Problem | null {
    const server = this.#serverOf(name);
    if (server === undefined) return null;
    const called = splitMcpToolName(name)?.tool ?? "";
    const refused = server.offer.tools.find((one) => one.name === called);
    const why =
      refused?.state === "refused"
        ? `offers this tool, but ${refused.problem ?? "it cannot be offered on"}`
        : !server.hasListed
          ? `is not there: ${server.state.reason ?? "it is being started"}`
          : isReader(called)
            ? "offers nothing that it could get"
            : "offers no such tool";
    const fix = "Use a tool that is listed. An operator can see with `femtoclaw mcp pins list` what the server offers.";
    return { code: "FEMTO_CAPABILITY_NOT_FOUND", reason: `the MCP server ${server.setting.name} ${why}`, fix };
  }

  /** The accepted tools of enabled servers, as an agent sees them. */
  tools(): ToolDescription[] {
    return [...this.#servers.values()].flatMap(({ offered }) =>
      offered.map(({ capability, contents }) => {
        const { name, version, description, input, output, effect, idempotent } = capability.manifest;
        const offers = contents?.map(({ kind, name: named, about }) => ({ kind, name: named, about: frozen(about) }));
        const described = { name, version, description, input, output, effect, idempotent };
        return offers === undefined ? described : { ...described, offers };
      }),
    );
  }

  /** The same, as operators see capabilities. */
  capabilities(): RegisteredCapability[] {
    return [...this.#servers.values()].flatMap(({ offered, isSandboxed }) =>
      offered.map(({ capability, sha256 }) => ({
        name: capability.manifest.name,
        version: capability.manifest.version,
        sha256,
        enabled: true,
        source: "configuration",
        locked: false,
        isolation: isSandboxed ? "sandbox" : "host",
        origin: "mcp",
      })),
    );
  }

  /** Listens to a resource of a server; the returned function ends that. */
  async listen(request: SubscriptionRequest, listener: SubscriptionListener): Promise<() => void> {
    return await this.#known(request.server).upstream(request.view).subscribe(request, listener);
  }

  /** Whether what a subscription was decided on is still offered unchanged. */
  isOffered({ server, definition }: SubscriptionRequest): boolean {
    return this.#servers.get(server)?.isOffered(definition) === true;
  }

  list(): UpstreamView[] {
    return [...this.#servers.values()].map(({ view }) => view);
  }

  /** The same, with what changed of each tool since it was accepted. */
  async compared(): Promise<ComparedUpstream[]> {
    return await Promise.all([...this.#servers.values()].map((server) => server.compared()));
  }

  /** Accepts tools as an operator saw them. Durable when this resolves. */
  async accept(name: string, tools: readonly ToolPin[], by: string): Promise<void> {
    requireText("name", name);
    requireText("by", by);
    await this.#known(name).accept(takenPins(tools), by);
  }

  /** Revokes everything that was accepted. Durable when this resolves. */
  async reset(name: string, by: string): Promise<void> {
    requireText("name", name);
    requireText("by", by);
    await this.#known(name).reset(by);
  }

  /** Ends instances for a view that nobody has any more, and those of disabled servers. */
  review(): void {
    const views = new Set(this.#parts.principals.map((one) => viewKey(this.#parts.standing(one).sandbox)));
    for (const server of this.#servers.values()) server.review(views);
  }

  async stop(reason: string): Promise<void> {
    await Promise.all([...this.#servers.values()].map((server) => server.stop(reason)));
  }

  #serverOf(tool: string): UpstreamServer | undefined {
    const named = splitMcpToolName(tool);
    return named === null ? undefined : this.#servers.get(named.server);
  }

  #isServer(name: string): boolean {
    return this.#servers.size > 0 && [...this.#servers.keys()].some((server) => mcpCapability(server) === name);
  }

  #known(name: string): UpstreamServer {
    const server = this.#servers.get(name);
    if (server !== undefined) return server;
    throw new FemtoError("FEMTO_UPSTREAM_NOT_FOUND", `no MCP server is called ${printable(name, 64)}`);
  }
}
