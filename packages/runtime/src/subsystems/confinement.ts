/** The sandbox of this machine, looked for when the first capability that needs it is enabled. */
import { confinedAuthority } from "@femtoclaw/policy";
import { type Authority, FemtoError } from "@femtoclaw/protocol";
import { probeSandbox, type SandboxProbe, type SandboxView, viewOf } from "@femtoclaw/sandbox";
import type { PolicySource } from "../options.ts";

export class Confinement {
  readonly #authority: Authority;
  #probe: SandboxProbe | null = null;
  #view: SandboxView | null = null;

  // INVARIANT: one grant, two fences: what Cedar files forbid to file tools is out of a child's reach too.
  constructor({ configuration, policyFiles }: PolicySource) {
    this.#authority = confinedAuthority(configuration.authority, policyFiles?.rules ?? []);
  }

  /** What was found; null while nobody needed it. */
  get probe(): SandboxProbe | null {
    return this.#probe;
  }

  /** What a child sees; null until a sandbox was found. */
  get view(): SandboxView | null {
    return this.#view;
  }

  // INVARIANT: I3: a capability that needs the sandbox is not enabled where there is none.
  async require(capabilities: readonly string[]): Promise<void> {
    if (this.#view !== null || capabilities.length === 0) return;
    this.#probe = await probeSandbox(this.#authority);
    if (!this.#probe.ok) {
      const { reason, fix } = this.#probe;
      const message = `${capabilities.join(", ")} cannot be confined: ${reason}`;
      throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", message, { fix });
    }
    this.#view = viewOf(this.#authority);
  }
}
