/**
 * What is in force: which capabilities, under which policy, in which confinement. It is set when the runtime starts;
 * operators change it while it runs, one change after the other.
 */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { agentRun, builtinCapabilities, type Capability, mcpServerCapability } from "@femtoclaw/capabilities";
import type { Clock, Journal } from "@femtoclaw/journal";
import { OneByOne } from "@femtoclaw/journal/live";
import {
  type CompiledPolicy,
  mayOffer,
  mayPermit,
  type PolicyEngine,
  type PolicyEngineOptions,
} from "@femtoclaw/policy/live";
import {
  authorityOf,
  type Deployment,
  FemtoError,
  mcpCapability,
  type RegisteredCapability,
  splitMcpToolName,
  type ToolDescription,
} from "@femtoclaw/protocol";
import type { ActorSystem } from "../actors/system.ts";
import { packageStubs } from "../capability-packages/package-stubs.ts";
import type { Chronicle } from "../chronicle.ts";
import type { ResolvedConfiguration } from "../configuration/resolved-configuration.ts";
import { deploymentOf, resolvedSources } from "../deployment.ts";
import type { Standing } from "../gate/gate-parts.ts";
import type { OpenGate } from "../gate/open-gate.ts";
import { requireKnownNames } from "../known-names.ts";
import { type LogEntry, type PolicySource, RUNTIME_OPTIONS, type RuntimeOptions, requireResolved } from "../options.ts";
import { takenSource } from "../taken-options.ts";
import { offerText } from "../upstreams/offer.ts";
import { type SwitchRequest, switchCapability } from "./capability-switch.ts";
import { Confinement } from "./confinement.ts";
import { Policy } from "./policy.ts";
import { Registry } from "./registry.ts";
import type { Shadow } from "./shadow.ts";

interface InForceParts {
  readonly options: RuntimeOptions;
  readonly system: ActorSystem;
  readonly chronicle: Chronicle;
  readonly clock: Clock;
  openPolicyEngine(options: PolicyEngineOptions): Promise<PolicyEngine>;
  /** Called when the policy subsystem can no longer be used; its supervisor restarts it. */
  onPolicyCrash(reason: string): void;
  log(entry: LogEntry): void;
}

export class InForce {
  readonly #parts: InForceParts;
  #configuration: ResolvedConfiguration;
  #confinement: Confinement;
  #deployment: Deployment | null = null;
  #registry: Registry | null = null;
  #policy: Policy | null = null;
  readonly #changes = new OneByOne();

  constructor(parts: InForceParts) {
    this.#parts = parts;
    this.#configuration = parts.options.configuration;
    this.#confinement = new Confinement(parts.options);
  }

  /** The configuration that was loaded last. */
  get configuration(): ResolvedConfiguration {
    return this.#configuration;
  }

  /** Null before it is known which program runs. */
  get deployment(): Deployment | null {
    return this.#deployment;
  }

  /** Names everything that is deployed together with the program of this digest. */
  deploy(binary: string | null): Deployment {
    this.#deployment = this.#deploymentOf(binary, this.#parts.options);
    return this.#deployment;
  }

  get confinement(): Confinement {
    return this.#confinement;
  }

  get registry(): Registry {
    assert(this.#registry !== null, "the registry has started");
    return this.#registry;
  }

  get policy(): Policy {
    assert(this.#policy !== null, "the policy has started");
    return this.#policy;
  }

  /** Null before the policy has started. */
  get compiled(): CompiledPolicy | null {
    return this.#policy?.compiled ?? null;
  }

  /** The rules on trial; null if there are none, and before the policy has started. */
  get shadow(): Shadow | null {
    return this.#policy?.shadow ?? null;
  }

  capabilities(): readonly RegisteredCapability[] {
    // Copies, because the registry decides by its own objects what may be called.
    return (this.#registry?.list() ?? []).map((capability) => ({ ...capability }));
  }

  /** What agents are shown: the enabled capabilities, except those of which no rule permits any use. */
  tools(open: Pick<OpenGate, "upstreams" | "packages"> | null): ToolDescription[] {
    const servers = new Set(this.#configuration.upstreams.map(({ name }) => mcpCapability(name)));
    const own = this.registry.tools().filter(({ name }) => !servers.has(name));
    const isCalled = (name: string): boolean => open === null || open.packages.isCalled(name);
    return [...own, ...(open?.upstreams.tools() ?? []).map((tool) => this.#offering(tool))].filter(
      ({ name, offers }) => mayPermit(this.policy.compiled, name) && isCalled(name) && offers?.length !== 0,
    );
  }

  /** Keeps only those resources and prompts that some rule permits to get. */
  #offering(tool: ToolDescription): ToolDescription {
    const { name, offers } = tool;
    const server = splitMcpToolName(name)?.server;
    if (offers === undefined || server === undefined) return tool;
    const { authority } = this.#configuration;
    const told = offers.filter((one) => mayOffer(this.policy.compiled, authority, server, one));
    return { ...tool, description: `${tool.description} It offers: ${offerText(told)}`, offers: told };
  }

  /** The authority and view for calls whose facts are taken now. */
  standing(principal: string): Standing {
    const { authority } = this.#configuration;
    return { authority: authorityOf(authority, principal), sandbox: this.#confinement.viewOf(principal) };
  }

  /**
   * Begins to probe the sandbox while the journal is read, if the configuration enables something that needs it. If the
   * state directory does not exist yet, the probe waits, because a view hides that directory only once it exists.
   */
  beginTrial(): void {
    const { capabilities, stateDirectory } = this.#configuration;
    const isEnabled = ({ manifest }: Capability): boolean => capabilities.get(manifest.name)?.enabled === true;
    const needsSandbox = this.#capabilities.some((one) => one.isolation === "sandbox" && isEnabled(one));
    if (needsSandbox && existsSync(stateDirectory)) this.#confinement.begin();
  }

  /** `overrides` are the capabilities that operators enabled or disabled by hand before this boot. */
  async startRegistry(overrides: Readonly<Record<string, boolean>>): Promise<void> {
    const { system, chronicle } = this.#parts;
    this.#requireDistinctNames();
    const registry = new Registry(system, this.#configuration, this.#capabilities);
    const declarations = registry.declarations(overrides);
    const confined = declarations.filter(({ enabled, isolation }) => enabled && isolation === "sandbox");
    await this.#confinement.require(confined.map(({ name }) => name));
    const body = { capabilities: declarations };
    chronicle.record({ type: "registry.loaded", session: null, execution: null, body });
    registry.load(declarations, overrides);
    this.#registry = registry;
  }

  /** `activeBefore` is the revision that was in force when the journal was last written; null if none is known. */
  async startPolicy(activeBefore: string | null): Promise<void> {
    const { system, chronicle, options, log } = this.#parts;
    const policy = await Policy.load(options, {
      system,
      manifests: this.registry.manifests,
      permit: options.permit ?? [],
      clock: this.#parts.clock,
      openEngine: (engine) => this.#parts.openPolicyEngine(engine),
      activeBefore,
      onFault: (reason) => log({ level: "error", event: "policy.fault", reason }),
      onShadowFault: (reason) => log({ level: "warn", event: "policy.shadow_fault", reason }),
      onCrash: (reason) => this.#parts.onPolicyCrash(reason),
    });
    chronicle.record({ type: "policy.activated", session: null, execution: null, body: policy.record });
    policy.activate();
    this.#policy = policy;
  }

  /**
   * Enables or disables a capability. The change is durable when this resolves. Throws for an unknown name and for a
   * capability that the configuration locks.
   */
  async switchCapability(journal: Pick<Journal, "append">, request: SwitchRequest): Promise<void> {
    await this.#changes.run(async () => {
      const parts = { registry: this.registry, confinement: this.#confinement, journal };
      await switchCapability(parts, request);
    });
  }

  /** Puts the policy of another configuration in force; see `Runtime.reload`. */
  async reload(journal: Pick<Journal, "append">, source: PolicySource, by: string): Promise<void> {
    requireKnownNames<RuntimeOptions>("reload", source, RUNTIME_OPTIONS);
    requireResolved(source.configuration);
    const candidate = takenSource(source);
    const { policy } = this;
    // Loaded here, because a start needs none of it.
    const { reloadPolicy } = await import("./reload.ts");
    await this.#changes.run(async () => {
      const confined = this.capabilities().filter(({ enabled, isolation }) => enabled && isolation === "sandbox");
      const parts = {
        policy,
        journal,
        configuration: this.#configuration,
        confined: confined.map(({ name }) => name),
        putInForce: (configuration: ResolvedConfiguration, confinement: Confinement) => {
          this.#configuration = configuration;
          // Waiting children were started under the old configuration, and serve no call of the new one.
          void this.#confinement.end();
          this.#confinement = confinement;
        },
      };
      await reloadPolicy(parts, candidate, by);
      this.#deployment = this.#deploymentOf(this.#deployment?.binary ?? null, candidate);
    });
    this.#parts.log({ level: "info", event: "policy.activated", revision: policy.compiled.revision, by });
  }

  /**
   * INVARIANT: I4: a name leads to one capability: no tool of a server stands in place of an embedder's capability, or
   * behind it.
   */
  #requireDistinctNames(): void {
    const servers = new Set(this.#configuration.upstreams.map(({ name }) => name));
    for (const { manifest } of this.#parts.options.capabilities ?? []) {
      const server = splitMcpToolName(manifest.name)?.server;
      if (server === undefined || !servers.has(server)) continue;
      const message = `capability \`${manifest.name}\` has the name of a tool of [mcp.servers.${server}]`;
      throw new FemtoError("FEMTO_CONFIG_INVALID", message);
    }
  }

  /** The built-in capabilities, those of the embedder, packages, and MCP servers of others. */
  get #capabilities(): readonly Capability[] {
    const { options } = this.#parts;
    const servers = this.#configuration.upstreams.map(({ name, at }) =>
      mcpServerCapability({ name, isSandboxed: at.kind === "command" }),
    );
    // Included only if something can be launched, so that all other configurations keep their schema and their
    // revision.
    const launched = this.#configuration.launches === undefined ? [] : [agentRun];
    const added = [...(options.capabilities ?? []), ...packageStubs(this.#configuration)];
    return [...builtinCapabilities, ...launched, ...added, ...servers];
  }

  #deploymentOf(binary: string | null, source: PolicySource): Deployment {
    const manifests = this.#capabilities.map(({ manifest }) => manifest);
    return deploymentOf({ binary, sources: source.sources ?? resolvedSources(source), manifests });
  }
}
