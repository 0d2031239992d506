/**
 * Takes secrets out of the body of a record before it is written: values that a schema or the writer marks, values
 * under the name of a secret, and text that looks like a secret. The record keeps the place and the rule, but the value
 * is stored nowhere.
 */
import { pointerTokens, type Redaction } from "@femtoclaw/protocol";
import { below, type Place, pointerTo, root } from "./place.ts";
import { mayHoldSecret, SECRET_NAME, SECRET_PATTERNS } from "./secret-patterns.ts";

interface Redacted<T> {
  readonly value: T;
  readonly redactions: readonly Redaction[];
}

const REDACTED = "[redacted]";

// INVARIANT: I10: every body that is written went through here, or through a test that found nothing to take out.
/** `marked` are paths whose values are taken out whatever they look like. The given value is not modified. */
export function redact<T>(value: T, marked: readonly Redaction[] = []): Redacted<T> {
  const redactions: Redaction[] = [];
  const clean = cleaned(value, root(), null, { marks: marksOf(marked), redactions });
  return { value: redactions.length === 0 ? value : (clean as T), redactions };
}

/** The text without the secrets that `redact` would take out. */
export function textRedacted(text: string): string {
  return mayHoldSecret(JSON.stringify(text)) ? withoutSecrets(text).text : text;
}

/** The value as JSON text, as a record would hold it. */
export function textWithoutSecrets(value: unknown): string {
  const text = JSON.stringify(value);
  return mayHoldSecret(text) ? JSON.stringify(redact(value).value) : text;
}

/** What is marked at a place and below it, by the names that members came with. */
interface Marks {
  rule?: string;
  readonly below: Map<string, Marks>;
}

function marksOf(marked: readonly Redaction[]): Marks | undefined {
  if (marked.length === 0) return undefined;
  const all: Marks = { below: new Map() };
  for (const { path, rule } of marked) {
    let at = all;
    for (const name of pointerTokens(path)) {
      const next: Marks = at.below.get(name) ?? { below: new Map() };
      at.below.set(name, next);
      at = next;
    }
    at.rule = rule;
  }
  return all;
}

interface Walk {
  readonly marks: Marks | undefined;
  readonly redactions: Redaction[];
}

/**
 * `name` is the name of the value: its key, or the option before it in a list of arguments. Everything in a list or
 * object under the name of a secret counts as secret.
 */
function cleaned(value: unknown, place: Place, name: string | null, walk: Walk): unknown {
  const marked = walk.marks?.rule;
  if (marked !== undefined) return taken(place, marked, walk);
  if (typeof value === "string") return cleanedText(value, place, name, walk);
  if (typeof value !== "object" || value === null) return value;
  const secret = name !== null && SECRET_NAME.test(name) ? name : null;
  if (Array.isArray(value)) {
    return value.map((item, index) =>
      cleaned(item, below(place, index), secret ?? optionName(value[index - 1]), walkBelow(walk, String(index))),
    );
  }
  return cleanedMembers(value, place, secret, walk);
}

function cleanedMembers(value: object, place: Place, secret: string | null, walk: Walk): object {
  const members = new Map<string, unknown>();
  const names = new KeptNames((name) => Object.hasOwn(value, name) || members.has(name));
  for (const [key, member] of Object.entries(value)) {
    const kept = keptName(key, place, walk, names);
    members.set(kept, cleaned(member, below(place, kept), secret ?? key, walkBelow(walk, key)));
  }
  return Object.fromEntries(members);
}

/**
 * The name under which a member is kept: if the name itself contains a secret, that is taken out. Names that become
 * equal by this get different numbers.
 */
function keptName(key: string, place: Place, walk: Walk, names: KeptNames): string {
  const { text, rules } = withoutSecrets(key);
  if (rules.length === 0) return key;
  const kept = names.free(text);
  for (const rule of rules) walk.redactions.push({ path: pointerTo(below(place, kept)), rule });
  return kept;
}

/** Gives names of one object that are the same without their secrets different numbers. */
class KeptNames {
  readonly #isUsed: (name: string) => boolean;
  /** The number that is tried next. INVARIANT: I9: none is tried twice, as an object may hold nothing but such names. */
  readonly #next = new Map<string, number>();

  constructor(isUsed: (name: string) => boolean) {
    this.#isUsed = isUsed;
  }

  free(text: string): string {
    let count = this.#next.get(text) ?? 1;
    let kept = count === 1 ? text : `${text} ${count}`;
    while (this.#isUsed(kept)) {
      count += 1;
      kept = `${text} ${count}`;
    }
    this.#next.set(text, count + 1);
    return kept;
  }
}

function walkBelow(walk: Walk, name: string): Walk {
  return walk.marks === undefined ? walk : { ...walk, marks: walk.marks.below.get(name) };
}

function cleanedText(text: string, place: Place, name: string | null, walk: Walk): string {
  if (name !== null && text !== "" && SECRET_NAME.test(name)) return taken(place, "name", walk);
  const clean = withoutSecrets(text);
  for (const rule of clean.rules) walk.redactions.push({ path: pointerTo(place), rule });
  return clean.text;
}

function withoutSecrets(text: string): { readonly text: string; readonly rules: readonly string[] } {
  const rules: string[] = [];
  let clean = text;
  for (const { rule, find, replacement } of SECRET_PATTERNS) {
    const next = clean.replace(find, replacement);
    if (next !== clean) rules.push(rule);
    clean = next;
  }
  return { text: clean, rules };
}

function taken(place: Place, rule: string, walk: Walk): string {
  walk.redactions.push({ path: pointerTo(place), rule });
  return REDACTED;
}

function optionName(previous: unknown): string | null {
  return typeof previous === "string" && previous.startsWith("-") ? previous : null;
}
