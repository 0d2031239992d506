/** The sandbox of this machine. It is probed when the first capability that needs it is enabled. */
import { confinedAuthority } from "@femtoclaw/policy/live";
import { type Authority, authorityOf, FemtoError } from "@femtoclaw/protocol";
import {
  type ChildLimits,
  hostInspection,
  probeSandbox,
  type SandboxProbe,
  type SandboxView,
  viewOf,
} from "@femtoclaw/sandbox";
import type { PolicySource } from "../options.ts";

export class Confinement {
  readonly #authority: Authority;
  readonly #limits: ChildLimits;
  #probe: SandboxProbe | null = null;
  /** A probe that was begun ahead of time, and that nobody has asked for yet. */
  #trial: Promise<SandboxProbe> | null = null;
  #view: SandboxView | null = null;
  /** What children see of agents that have tables of their own. */
  #agentViews: ReadonlyMap<string, SandboxView> = new Map();

  // INVARIANT: one grant counts twice: what Cedar files forbid to file tools is out of a child's reach as well.
  constructor({ configuration, policyFiles }: PolicySource) {
    this.#limits = configuration.limits.child;
    this.#authority = confinedAuthority(configuration.authority, policyFiles?.rules ?? []);
  }

  /** The result of the probe; null while nobody needed it. */
  get probe(): SandboxProbe | null {
    return this.#probe;
  }

  /**
   * What a child sees that runs for the principal; null until a sandbox was found. INVARIANT: I8: what an agent's
   * tables take from its calls, they also take from its children.
   */
  viewOf(principal: string): SandboxView | null {
    return this.#agentViews.get(principal) ?? this.#view;
  }

  /** Begins to probe the sandbox in the background. The result is reported when the sandbox is required. */
  begin(): void {
    this.#trial ??= probeSandbox(this.#authority, this.#limits);
  }

  /** Resolves once no process is left of a probe, or of children that wait for a call. */
  async end(): Promise<void> {
    await this.#trial;
    if (this.#probe?.ok === true) await this.#probe.groups?.waiting.end();
  }

  // INVARIANT: I3: a capability that needs the sandbox is not enabled if there is none.
  async require(capabilities: readonly string[]): Promise<void> {
    const trial = this.#trial;
    // The probe that a start began counts only for that start. Code that needs the sandbox later probes it then.
    this.#trial = null;
    if (this.#view !== null || capabilities.length === 0) return;
    this.#probe = await (trial ?? probeSandbox(this.#authority, this.#limits));
    if (!this.#probe.ok) {
      const { reason, fix } = this.#probe;
      const message = `${capabilities.join(", ")} cannot be confined: ${reason}`;
      throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", message, { fix });
    }
    const { groups, name } = this.#probe;
    const view = (authority: Authority): SandboxView => viewOf(authority, hostInspection, undefined, groups, name);
    const agents = Object.keys(this.#authority.agents ?? {});
    this.#agentViews = new Map(agents.map((name) => [name, view(authorityOf(this.#authority, name))]));
    this.#view = view(this.#authority);
  }
}
