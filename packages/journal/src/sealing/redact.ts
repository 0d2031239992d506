/**
 * Takes secrets out of the body of a record before it is written: what a schema or the writer marks, what
 * stands behind the name of a secret, and what looks like one. Place and rule stay, the value is nowhere.
 */
import type { Redaction } from "@femtoclaw/protocol";
import { pointer } from "./json-pointer.ts";
import { mayHoldSecret, SECRET_NAME, SECRET_PATTERNS } from "./secret-patterns.ts";

export interface Redacted<T> {
  readonly value: T;
  readonly redactions: readonly Redaction[];
}

const REDACTED = "[redacted]";

// INVARIANT: I10: what is written of a body went through here, or through a test that found nothing to take out.
/** `marked` are places whose values go, whatever they look like. The value itself is left as it is. */
export function redact<T>(value: T, marked: readonly Redaction[] = []): Redacted<T> {
  const rules = new Map(marked.map(({ path, rule }) => [path, rule]));
  const redactions: Redaction[] = [];
  const clean = cleaned(value, "", null, { rules, redactions });
  return { value: redactions.length === 0 ? value : (clean as T), redactions };
}

/** The value as JSON text, as a record would hold it. */
export function textWithoutSecrets(value: unknown): string {
  const text = JSON.stringify(value);
  return mayHoldSecret(text) ? JSON.stringify(redact(value).value) : text;
}

interface Walk {
  readonly rules: ReadonlyMap<string, string>;
  readonly redactions: Redaction[];
}

/** `name` is what the value is the value of: its key, or the option before it in a list of arguments. */
function cleaned(value: unknown, path: string, name: string | null, walk: Walk): unknown {
  const marked = walk.rules.get(path);
  if (marked !== undefined) return taken(path, marked, walk);
  if (typeof value === "string") return cleanedText(value, path, name, walk);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    return value.map((item, index) => cleaned(item, pointer(path, index), optionName(value[index - 1]), walk));
  }
  const members = Object.entries(value).map(([key, member]) => [key, cleaned(member, pointer(path, key), key, walk)]);
  return Object.fromEntries(members);
}

function cleanedText(text: string, path: string, name: string | null, walk: Walk): string {
  if (name !== null && text !== "" && SECRET_NAME.test(name)) return taken(path, "name", walk);
  let clean = text;
  for (const { rule, find, replacement } of SECRET_PATTERNS) {
    const next = clean.replace(find, replacement);
    if (next !== clean) walk.redactions.push({ path, rule });
    clean = next;
  }
  return clean;
}

function taken(path: string, rule: string, walk: Walk): string {
  walk.redactions.push({ path, rule });
  return REDACTED;
}

function optionName(previous: unknown): string | null {
  return typeof previous === "string" && previous.startsWith("-") ? previous : null;
}
