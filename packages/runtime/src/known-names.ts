/** Checks the names of options that an embedder passes, for embedders without types: plain JavaScript, or a cast. */
import { LIMITS, printable } from "@femtoclaw/protocol";

/** Every name that an object of this type may have. The compiler ensures that none is missing. */
export type NamesOf<T> = { readonly [Name in keyof Required<T>]: true };

/**
 * Throws a `TypeError` for an unknown name. INVARIANT: I3: a misspelt option is refused. If it were ignored, the rules,
 * the witnesses or the agent that it was meant to name would be missing, and nobody would notice.
 */
export function requireKnownNames<T extends object>(what: string, given: T, names: NamesOf<T>): void {
  if (Object(given) !== given) throw new TypeError(`${what} takes an object with options`);
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(names, name)) continue;
    const known = Object.keys(names).join(", ");
    throw new TypeError(`${what} has no \`${printable(name, LIMITS.labelChars)}\` (known: ${known})`);
  }
}
