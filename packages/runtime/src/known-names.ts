/** What an embedder hands over, held to its names where no types are: in plain JavaScript, or behind a cast. */
import { LIMITS, printable } from "@femtoclaw/protocol";

/** Every name that an object of this type may have; the compiler sees that none is missing. */
export type NamesOf<T> = { readonly [Name in keyof Required<T>]: true };

/**
 * Throws a `TypeError` for a name that means nothing. INVARIANT: I3: a misspelt option is refused: taken for one that was
 * left out, the rules, the witnesses or the agent that it was to name would be missing, and nobody would hear of it.
 */
export function requireKnownNames<T extends object>(what: string, given: T, names: NamesOf<T>): void {
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(names, name)) continue;
    const known = Object.keys(names).join(", ");
    throw new TypeError(`${what} has no \`${printable(name, LIMITS.labelChars)}\` (known: ${known})`);
  }
}
