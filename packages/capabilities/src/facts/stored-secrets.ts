/** References to stored secrets in headers, and what becomes of them: a value on the way out, a name on the way back. */
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

/** Bytes in which every value, in the spellings that servers give it back in, is its name again. */
export function withoutValues(bytes: Buffer, values: SecretValues): Buffer {
  let clean = bytes;
  for (const [name, value] of values) {
    const shown = Buffer.from(`[secret ${name}]`);
    for (const spelling of spellings(value)) clean = replaced(clean, Buffer.from(spelling), shown);
  }
  return clean;
}

function spellings(value: string): Set<string> {
  const bytes = Buffer.from(value);
  const escaped = JSON.stringify(value).slice(1, -1);
  const html = value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  return new Set([
    ...[value, escaped, encodeURIComponent(value), html],
    ...[bytes.toString("base64"), bytes.toString("base64").replace(/=+$/, ""), bytes.toString("base64url")],
    ...[bytes.toString("hex"), bytes.toString("hex").toUpperCase()],
  ]);
}

function replaced(bytes: Buffer, from: Buffer, to: Buffer): Buffer {
  const parts: Buffer[] = [];
  let start = 0;
  for (let at = bytes.indexOf(from); at !== -1; at = bytes.indexOf(from, start)) {
    parts.push(bytes.subarray(start, at), to);
    start = at + from.length;
  }
  return parts.length === 0 ? bytes : Buffer.concat([...parts, bytes.subarray(start)]);
}
