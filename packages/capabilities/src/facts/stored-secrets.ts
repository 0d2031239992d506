/** References to stored secrets in headers, and what becomes of them on the way out. */
import type { FetchTarget } from "@femtoclaw/protocol";

/** The value of a secret that may be sent there, or null: whether there is another one of the name is not told. */
export type SecretLookUp = (name: string, target: FetchTarget) => string | null;

const REFERENCE = /secret:\/\/([a-z0-9][a-z0-9_-]{0,63})(?![a-z0-9_-])/g;
const SCHEME = "secret://";

/** Names that the text refers to; null for a reference that names nothing. */
export function secretReferences(text: string): string[] | null {
  const names = [...text.matchAll(REFERENCE)].map(([, name = ""]) => name);
  return text.split(SCHEME).length - 1 === names.length ? names : null;
}

export type SecretValues = ReadonlyMap<string, string>;

/** INVARIANT: I10: this is the only place where a value takes the place of its name, on the way to its destination. */
export function withValues(text: string, values: SecretValues): string {
  return text.replaceAll(REFERENCE, (reference, name: string) => values.get(name) ?? reference);
}
