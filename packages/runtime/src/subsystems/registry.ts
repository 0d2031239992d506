/** The registry subsystem: which capabilities exist, which of them are enabled, and their limits. */

import { createHash } from "node:crypto";
import { builtinCapabilities, type Capability } from "@femtoclaw/capabilities";
import type { RegistryContext } from "@femtoclaw/machines";
import {
  FemtoError,
  frozen,
  mcpCapability,
  printable,
  type RegisteredCapability,
  type ToolDescription,
} from "@femtoclaw/protocol";
import type { EventObject } from "xstate";
import type { ActorSystem } from "../actors/system.ts";
import type { ResolvedConfiguration } from "../configuration/resolved-configuration.ts";
import type { Registered } from "../gate/gate-parts.ts";
import { type CompiledSchemas, compileSchemas } from "../gate/schemas/argument-validators.ts";

export class Registry {
  readonly #system: ActorSystem;
  readonly #configuration: ResolvedConfiguration;
  readonly #capabilities: ReadonlyMap<string, Capability>;
  readonly #schemas: ReadonlyMap<string, CompiledSchemas>;
  /** The last answer for each capability, with the declaration that it was made from. */
  readonly #said = new Map<string, { readonly by: RegisteredCapability; readonly registered: Registered }>();

  /** Throws FEMTO_CONFIG_INVALID for a capability with an invalid manifest, or a setting for an unknown capability. */
  constructor(system: ActorSystem, configuration: ResolvedConfiguration, capabilities: readonly Capability[]) {
    this.#system = system;
    this.#configuration = configuration;
    // Agents and embedders are shown the schemas, and calls are checked against what was compiled from them.
    for (const { manifest } of capabilities) frozen(manifest);
    this.#schemas = compileSchemas(capabilities);
    this.#capabilities = new Map(capabilities.map((capability) => [capability.manifest.name, capability]));
    capabilities.forEach(requireTrust);
    for (const name of configuration.capabilities.keys()) {
      if (this.#capabilities.has(name)) continue;
      const known = [...this.#capabilities.keys()].sort().join(", ");
      throw new FemtoError(
        "FEMTO_CONFIG_INVALID",
        `[capabilities] names \`${name}\`, which does not exist (known: ${known})`,
      );
    }
  }

  get manifests(): Capability["manifest"][] {
    return [...this.#capabilities.values()].map(({ manifest }) => manifest);
  }

  /**
   * What this boot registers: what the configuration says and, as far as it allows, what operators enabled or disabled
   * before.
   */
  declarations(overrides: Readonly<Record<string, boolean>>): RegisteredCapability[] {
    return [...this.#capabilities.values()]
      .map((capability) => this.#declaration(capability, overrides))
      .sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  load(declarations: readonly RegisteredCapability[], overrides: Readonly<Record<string, boolean>>): void {
    this.#system.send("registry", { type: "load", overrides } as EventObject);
    for (const capability of declarations)
      this.#system.send("registry", { type: "declare", capability } as EventObject);
    this.#system.send("registry", { type: "loaded" });
  }

  /** The capability that is to be enabled or disabled. Throws if the registry would not accept the change. */
  check(name: string, enable: boolean): RegisteredCapability {
    const capability = this.list().find((declared) => declared.name === name);
    if (capability === undefined) {
      throw new FemtoError("FEMTO_CAPABILITY_NOT_FOUND", `no capability is called \`${printable(name)}\``);
    }
    if (enable && capability.locked) {
      const fix = `Remove \`${name} = false\` from [capabilities] in femtoclaw.toml and start the host again.`;
      throw new FemtoError("FEMTO_CAPABILITY_DISABLED", `the configuration locks \`${name}\` off`, { fix });
    }
    return capability;
  }

  apply(name: string, enable: boolean): void {
    this.#system.send("registry", { type: enable ? "enable" : "disable", name } as EventObject);
  }

  list(): readonly RegisteredCapability[] {
    return Object.values(this.#context()?.capabilities ?? {});
  }

  /** The enabled capabilities as an agent sees them. */
  tools(): ToolDescription[] {
    return this.list()
      .filter(({ enabled }) => enabled)
      .flatMap(({ name }) => this.#capabilities.get(name) ?? [])
      .flatMap(({ manifest, isLaunched = false }) => (isLaunched ? [] : [manifest]))
      .map(({ name, version, description, input, output, effect, idempotent }) => {
        return { name, version, description, input, output, effect, idempotent };
      });
  }

  // INVARIANT: I3: a registry that is not up knows no capability, so nothing can be called.
  registered(tool: string): Registered | undefined {
    const declared = this.#context()?.capabilities;
    const state = declared !== undefined && Object.hasOwn(declared, tool) ? declared[tool] : undefined;
    if (state === undefined) return undefined;
    const said = this.#said.get(tool);
    // A declaration never changes: a capability that is enabled or disabled is declared anew.
    if (said?.by === state) return said.registered;
    const registered = this.#registered(tool, state);
    if (registered !== undefined) this.#said.set(tool, { by: state, registered });
    return registered;
  }

  #registered(tool: string, { enabled }: RegisteredCapability): Registered | undefined {
    const capability = this.#capabilities.get(tool);
    const schemas = this.#schemas.get(tool);
    if (capability === undefined || schemas === undefined) return undefined;
    const setting = this.#configuration.capabilities.get(tool);
    const { limits } = this.#configuration;
    const own = capability.manifest.limits;
    return {
      capability,
      ...schemas,
      enabled,
      // A capability that runs until it ends by itself is not bounded by the limits of ordinary calls.
      timeoutMs:
        setting?.timeoutMs ?? (capability.isLaunched ? own.timeout_ms : Math.min(limits.timeoutMs, own.timeout_ms)),
      outputBytes: setting?.outputBytes ?? Math.min(limits.outputBytes, own.output_bytes),
      child: { ...limits.child, ...setting?.child },
    };
  }

  #declaration(capability: Capability, overrides: Readonly<Record<string, boolean>>): RegisteredCapability {
    const { manifest, isolation } = capability;
    const setting = this.#configuration.capabilities.get(manifest.name);
    const override = Object.hasOwn(overrides, manifest.name) ? overrides[manifest.name] : undefined;
    const locked = setting?.locked ?? false;
    // INVARIANT: I3: disabled is the default. If the configuration locks a capability off, no earlier decision of an
    // operator brings it back.
    const enabled = !locked && (override ?? setting?.enabled ?? false);
    const source = !locked && override !== undefined ? "operator" : setting === undefined ? "default" : "configuration";
    return {
      name: manifest.name,
      version: manifest.version,
      sha256: createHash("sha256").update(JSON.stringify(manifest)).digest("hex"),
      enabled,
      source,
      locked,
      isolation,
      origin: this.#originOf(manifest.name),
      ...(capability.trusted === true ? { trusted: true } : {}),
    };
  }

  #originOf(name: string): NonNullable<RegisteredCapability["origin"]> {
    const { packages, upstreams } = this.#configuration;
    if (builtinCapabilities.some(({ manifest }) => manifest.name === name)) return "built-in";
    if (packages.some((one) => one.name === name)) return "package";
    return upstreams.some((one) => mcpCapability(one.name) === name) ? "mcp" : "embedder";
  }

  #context(): RegistryContext | undefined {
    const state = this.#system.state("registry");
    return state?.value === "ready" ? (state.context as RegistryContext) : undefined;
  }
}

const ISOLATIONS: readonly unknown[] = ["sandbox", "host", "in-process"] satisfies Capability["isolation"][];

/**
 * INVARIANT: code of others runs within the host's process only if somebody explicitly says so. A misspelt isolation says
 * nothing, and is recorded with the capability.
 */
function requireTrust({ manifest, isolation, trusted }: Capability): void {
  if (!ISOLATIONS.includes(isolation)) {
    const message = `capability \`${manifest.name}\`: its isolation is none of ${ISOLATIONS.join(", ")}`;
    throw new FemtoError("FEMTO_CONFIG_INVALID", message);
  }
  if (isolation !== "in-process" || trusted === true) return;
  const fix = "Pass `trusted: true`, or name its package under [capabilities], so that it runs in the sandbox.";
  const message = `capability \`${manifest.name}\` would run in this process without being declared as trusted`;
  throw new FemtoError("FEMTO_CONFIG_INVALID", message, { fix });
}
