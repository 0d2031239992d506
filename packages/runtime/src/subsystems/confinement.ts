/** The sandbox of this machine, looked for when the first capability that needs it is enabled. */
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
  /** A trial that was begun ahead, and that nobody has asked about yet. */
  #trial: Promise<SandboxProbe> | null = null;
  #view: SandboxView | null = null;
  /** What children of those agents see that have tables of their own. */
  #agentViews: ReadonlyMap<string, SandboxView> = new Map();

  // INVARIANT: one grant counts twice: what Cedar files forbid to file tools is out of a child's reach as well.
  constructor({ configuration, policyFiles }: PolicySource) {
    this.#limits = configuration.limits.child;
    this.#authority = confinedAuthority(configuration.authority, policyFiles?.rules ?? []);
  }

  /** What was found; null while nobody needed it. */
  get probe(): SandboxProbe | null {
    return this.#probe;
  }

  /**
   * What a child sees that runs for the principal; null until a sandbox was found.
   * INVARIANT: I8: what the tables of an agent take from its calls they take from its children.
   */
  viewOf(principal: string): SandboxView | null {
    return this.#agentViews.get(principal) ?? this.#view;
  }

  /** Begins to try the sandbox out, beside whatever is done until it is required; how it went is told then. */
  begin(): void {
    this.#trial ??= probeSandbox(this.#authority, this.#limits);
  }

  /** Resolves once nothing is left of a trial, and of children that wait for a call. */
  async end(): Promise<void> {
    await this.#trial;
    if (this.#probe?.ok === true) await this.#probe.groups?.waiting.end();
  }

  // INVARIANT: I3: a capability that needs the sandbox is not enabled where there is none.
  async require(capabilities: readonly string[]): Promise<void> {
    const trial = this.#trial;
    // The trial that a start began counts for that start alone; whoever needs the sandbox later tries it then.
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
