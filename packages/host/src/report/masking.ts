/** Decides what of a deployment may be shown to a helper: never a secret, and nothing that a call was about. */

import { redact } from "@femtoclaw/journal";
import type { TypedRecord } from "@femtoclaw/protocol";
import { parseJson } from "@femtoclaw/protocol";
import { maskedCommand, maskedWords } from "./masked-command.ts";
import { frameIn } from "./stack-frames.ts";

/** Members whose values come from closed sets. Any other member of a record or log line may come from a call. */
const TOLD = ["code", "error_type", "status", "decision", "category", "state", "from", "to", "previous_end", "version"];
const WORD = /^[A-Za-z0-9_.:-]{1,64}$/;
const MASKED = "[masked]";
const SCHEME = "[a-z][a-z0-9+.-]*://";
const URL_START = new RegExp(`^${SCHEME}`, "i");
/** A URL within a sentence, up to the punctuation that follows. */
const URL_IN_TEXT = new RegExp(`\\b${SCHEME}[^\\s"'\`<>()[\\],;]+`, "gi");

export interface ToldRecord {
  readonly seq: number;
  readonly at: string;
  readonly boot: string;
  readonly type: string;
  readonly [told: string]: string | number;
}

export function toldRecord({ seq, at, boot, type, body }: TypedRecord): ToldRecord {
  return { seq, at, boot, type, ...told(body) };
}

/** From a line of the host's log: time, level, event and codes. From a line of a stack: the place in the code. */
export function toldLine(line: string): readonly (string | Readonly<Record<string, string>>)[] {
  if (!line.startsWith("{")) return frameIn(line);
  try {
    const entry = parseJson(line) as Readonly<Record<string, unknown>>;
    const { at, level, event } = entry;
    const head = Object.entries({ at, level, event }).filter(([, value]) => isWord(value)) as [string, string][];
    return [{ ...Object.fromEntries(head), ...told(entry) }];
  } catch {
    return [];
  }
}

function told(value: object): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, inner] of Object.entries(value)) {
    if (TOLD.includes(name) && isWord(inner)) found[name] = inner;
    // The error of an outcome is nested one level deeper.
    else if (name === "error" && typeof inner === "object" && inner !== null) Object.assign(found, told(inner));
  }
  return found;
}

const isWord = (value: unknown): value is string => typeof value === "string" && WORD.test(value);

/**
 * The configuration without secrets. Whatever looks like a secret is removed, URLs are reduced to their origin, commands
 * lose what may be a password, and headers are reduced to their names, because any header value may be what grants
 * access to a server.
 */
export function maskedConfiguration<T>(configuration: T): T {
  // Removing secrets first would leave URLs in a command that cannot be read as such any more.
  const shown = redact(withoutAccess(configuration)).value;
  return masked(shown, (text) => (URL_START.test(text) ? originOf(text) : text)) as T;
}

function withoutAccess(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutAccess);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutAccessIn(name, inner)]));
}

function withoutAccessIn(name: string, value: unknown): unknown {
  if (name === "headers") {
    return masked(
      value,
      () => MASKED,
      (header) => header,
    );
  }
  if (name === "command" && Array.isArray(value)) return maskedCommand(value.map((word) => withOrigins(String(word))));
  return withoutAccess(value);
}

/** The findings of `doctor`, with URLs reduced to their origin, and without what may be a password. */
export function maskedFindings<T>(findings: T): T {
  return masked(findings, (text) => maskedWords(withOrigins(text)));
}

const withOrigins = (text: string): string => text.replace(URL_IN_TEXT, originOf);

/** The same value with each text mapped by `mask` and each member name by `maskName`. */
export function masked<T>(value: T, mask: (text: string) => string, maskName = mask): T {
  if (typeof value === "string") return mask(value) as T;
  if (Array.isArray(value)) return value.map((inner) => masked(inner, mask, maskName)) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [maskName(name), masked(inner, mask, maskName)]),
  ) as T;
}

/** User, path and query of a URL are often as good as a password. */
function originOf(text: string): string {
  try {
    const { protocol, host, href } = new URL(text);
    // Not `origin`, which is "null" for schemes that browsers do not know.
    const origin = `${protocol}//${host}`;
    return [origin, `${origin}/`].includes(href) ? origin : `${origin}/${MASKED}`;
  } catch {
    return MASKED;
  }
}
