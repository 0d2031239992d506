/**
 * The machine versions that records name, by their digests. History is not folded with a version whose file is missing,
 * or differs in any byte from the one that was named.
 */
import { createHash } from "node:crypto";
import { FROZEN_MACHINES, type FrozenMachine } from "@femtoclaw/machines";
import type { MachineIdentity } from "@femtoclaw/protocol";
import { machineBytes } from "#machine-bytes";
import type { FoldingMachine } from "../projection/machine-set.ts";

/** Machine versions by the digests that records name. The default are those of this FemtoClaw. */
export class FrozenMachines {
  readonly #known: readonly FrozenMachine[];
  readonly #found = new Map<string, Promise<FoldingMachine | null>>();

  constructor(known: readonly FrozenMachine[] = FROZEN_MACHINES) {
    this.#known = known;
  }

  /** Null if the machine is not available. */
  find(identity: MachineIdentity): Promise<FoldingMachine | null> {
    const name = nameOf(identity);
    const found = this.#found.get(name) ?? this.#load(identity);
    this.#found.set(name, found);
    return found;
  }

  // INVARIANT: I6: code that is not the one that a record names is not run, so it folds nothing.
  async #load(identity: MachineIdentity): Promise<FoldingMachine | null> {
    const frozen = this.#known.find((machine) => nameOf(machine) === nameOf(identity));
    if (frozen === undefined) return null;
    const bytes = await machineBytes(frozen.url).catch(() => null);
    if (bytes === null || createHash("sha256").update(bytes).digest("hex") !== identity.sha256) return null;
    const { id, version, sha256 } = identity;
    return { identity: { id, version, sha256 }, logic: await frozen.load() };
  }
}

/** One text for each identity. */
export function nameOf({ id, version, sha256 }: MachineIdentity): string {
  return `${id} version ${version} (${sha256})`;
}
