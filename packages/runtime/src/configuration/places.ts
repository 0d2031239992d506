/** Collects the faults of one configuration with their places, so that all of them are shown at once. */
import { FemtoError, jsonPointer } from "@femtoclaw/protocol";

/** Maps a JSON pointer to a place that people find: `femtoclaw.toml:12:9`. */
export type SourceOf = (jsonPointer: string) => string;

export class Places {
  readonly sourceOf: SourceOf;
  /** Symbolic links on the way to paths that were written somewhere. */
  readonly links: { readonly place: readonly (string | number)[]; readonly link: string }[] = [];
  readonly #faults: string[] = [];

  constructor(sourceOf: SourceOf) {
    this.sourceOf = sourceOf;
  }

  /** Notes a fault. Returns an empty list, which grants nothing. */
  fault(place: readonly (string | number)[], message: string): [] {
    const source = this.sourceOf(jsonPointer(place));
    this.#faults.push(source === "" ? message : `${source}: ${message}`);
    return [];
  }

  followed(place: readonly (string | number)[], links: readonly string[]): void {
    this.links.push(...links.map((link) => ({ place, link })));
  }

  /** Notes a fault that prevents any further examination, and throws. */
  fail(place: readonly (string | number)[], message: string): never {
    this.fault(place, message);
    throw this.#error();
  }

  /** INVARIANT: a configuration with any fault grants nothing at all; half of it is never loaded. */
  throwFaults(): void {
    if (this.#faults.length > 0) throw this.#error();
  }

  #error(): FemtoError {
    return new FemtoError("FEMTO_CONFIG_INVALID", this.#faults.join("\n"));
  }
}
