/**
 * Gathers what a terminal shows into records with times. Secrets are searched in all gathered text of one kind, across
 * the pieces in which it came. Text that may be the beginning of a secret waits for its rest.
 */
import type { PtySize } from "@femtoclaw/capabilities";
import { type Clock, type JournalEntry, redact } from "@femtoclaw/journal/live";
import { LIMITS, type Redaction, type TerminalMark } from "@femtoclaw/protocol";

interface RecorderParts {
  readonly clock: Pick<Clock, "after" | "monotonicUs">;
  readonly terminal: string;
  readonly recordsInput: boolean;
  entry(body: TerminalRecordedEntry): void;
  /** Whether the journal has room to spare for what a terminal shows. */
  hasRoom(): boolean;
}

export type TerminalRecordedEntry = Pick<JournalEntry & { readonly type: "terminal.recorded" }, "body" | "redacted">;

type Kind = TerminalMark["kind"];

interface Part {
  readonly kind: Kind;
  readonly atUs: number;
  readonly text: string;
}

/** LIMIT: parts of one record, as in its schema. */
const PARTS = 256;
/** Microseconds within which parts of one kind are joined. */
const JOIN_US = 10_000;
/** LIMIT: characters of a line that waits for its end, so that a secret in it is seen whole. */
const LINE_CHARS = 1_024;
/** LIMIT: characters of a key in several lines that waits for its end. */
const KEY_CHARS = 16_384;
/** How often such a key waits. */
const KEY_WAITS = 10;

export class Recorder {
  readonly #parts: RecorderParts;
  #gathered: Part[] = [];
  #chars = 0;
  #unrecorded = 0;
  /** How many characters waited the last time, and how often they have waited. */
  #waited: { readonly chars: number; readonly times: number } | null = null;
  #cancel: (() => void) | null = null;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  /** Characters for which there was no room. */
  get unrecorded(): number {
    return this.#unrecorded;
  }

  /** Counts characters of a record that was refused. */
  lose(chars: number): void {
    this.#unrecorded += chars;
  }

  output(text: string): void {
    this.#add("output", text);
  }

  input(text: string): void {
    if (this.#parts.recordsInput) this.#add("input", text);
  }

  size({ cols, rows }: PtySize): void {
    this.#add("size", `${cols}x${rows}`);
  }

  /** Writes down what is left; nothing comes after that. */
  end(): void {
    this.#flush({ isLast: true });
    this.#cancel?.();
  }

  #add(kind: Kind, text: string): void {
    if (!this.#parts.hasRoom()) {
      this.#unrecorded += text.length;
      return;
    }
    const atUs = this.#parts.clock.monotonicUs();
    const last = this.#gathered.at(-1);
    // Sizes are not joined, because two of them together would mean nothing.
    if (last?.kind === kind && kind !== "size" && atUs - last.atUs < JOIN_US) {
      this.#gathered[this.#gathered.length - 1] = { ...last, text: last.text + text };
    } else this.#gathered.push({ kind, atUs, text });
    this.#chars += text.length;
    if (this.#chars >= LIMITS.terminalRecordChars || this.#gathered.length >= PARTS) this.#flush({ isLast: false });
    else this.#flushLater();
  }

  #flush({ isLast }: { readonly isLast: boolean }): void {
    this.#cancel?.();
    this.#cancel = null;
    const { written, kept } = divided(this.#gathered, isLast || this.#isOverdue());
    this.#gathered = kept;
    this.#chars = kept.reduce((sum, { text }) => sum + text.length, 0);
    if (written.length > 0) this.#parts.entry(recordedEntry(this.#parts.terminal, written));
    if (kept.length === 0) this.#waited = null;
    else this.#waited = { chars: this.#chars, times: written.length > 0 ? 1 : (this.#waited?.times ?? 0) + 1 };
    if (kept.length > 0) this.#flushLater();
  }

  /** Waiting text is recorded as it is if nothing more comes: a line soon, a key later. */
  #isOverdue(): boolean {
    if (this.#waited === null || this.#waited.chars !== this.#chars) return false;
    return this.#waited.times >= (openKey(joined(this.#gathered, "output")) === null ? 1 : KEY_WAITS);
  }

  #flushLater(): void {
    this.#cancel ??= this.#parts.clock.after(LIMITS.terminalRecordMs, () => this.#flush({ isLast: false }), {
      unref: true,
    });
  }
}

interface Divided {
  readonly written: Part[];
  readonly kept: Part[];
}

/**
 * Divides parts into those that may be written, and those that wait for more, beginning at the first place where a
 * secret may have begun.
 */
function divided(parts: readonly Part[], isAll: boolean): Divided {
  const places = isAll ? [] : (["output", "input"] as const).map((kind) => heldFrom(parts, kind));
  const [place] = places.filter((one) => one !== null).sort((a, b) => a.index - b.index || a.offset - b.offset);
  const part = place === undefined ? undefined : parts[place.index];
  if (place === undefined || part === undefined) return { written: [...parts], kept: [] };
  const before = { ...part, text: part.text.slice(0, place.offset) };
  const after = { ...part, text: part.text.slice(place.offset) };
  const kept = [after, ...parts.slice(place.index + 1)];
  // INVARIANT: I9: waiting text is limited too, no matter how its end is kept away.
  if (kept.length > PARTS / 2 || kept.reduce((sum, { text }) => sum + text.length, 0) > LIMITS.terminalRecordChars)
    return { written: [...parts], kept: [] };
  return { written: [...parts.slice(0, place.index), ...(before.text === "" ? [] : [before])], kept };
}

const joined = (parts: readonly Part[], kind: Kind): string =>
  parts.map((part) => (part.kind === kind ? part.text : "")).join("");

/** Where a key begins that is not complete yet. */
function openKey(text: string): number | null {
  const key = text.lastIndexOf("-----BEGIN ");
  return key === -1 || text.includes("-----END ", key) || text.length - key > KEY_CHARS ? null : key;
}

/** Where the last line of one kind begins, or a key that is not complete; null if nothing has to wait. */
function heldFrom(parts: readonly Part[], kind: Kind): { readonly index: number; readonly offset: number } | null {
  const text = joined(parts, kind);
  const key = openKey(text);
  const from = key ?? Math.max(text.lastIndexOf("\n"), text.lastIndexOf("\r")) + 1;
  if (from === text.length || (key === null && text.length - from > LINE_CHARS)) return null;
  let start = 0;
  for (const [index, part] of parts.entries()) {
    if (part.kind !== kind) continue;
    if (from < start + part.text.length) return { index, offset: from - start };
    start += part.text.length;
  }
  return null;
}

function recordedEntry(terminal: string, parts: readonly Part[]): TerminalRecordedEntry {
  const [output, input] = [cleaned(parts, "output"), cleaned(parts, "input")];
  const clean = parts.flatMap(
    (part) => output.parts.get(part) ?? input.parts.get(part) ?? (isSize(part) ? [part] : []),
  );
  const atUs = clean[0]?.atUs ?? 0;
  const marks = clean.map(({ kind, atUs: at, text }) => ({ kind, after_us: at - atUs, chars: text.length }));
  return {
    body: { terminal, at_us: atUs, text: clean.map(({ text }) => text).join(""), marks },
    redacted: [...output.redactions, ...input.redactions],
  };
}

const isSize = ({ kind }: Part): boolean => kind === "size";

/** All parts of one kind without secrets. If a secret was found, they become one part at the time of the first. */
function cleaned(
  parts: readonly Part[],
  kind: Kind,
): { readonly parts: ReadonlyMap<Part, Part>; readonly redactions: readonly Redaction[] } {
  const own = parts.filter((part) => part.kind === kind);
  const [first] = own;
  const { value, redactions } = redact(own.map(({ text }) => text).join(""));
  if (first === undefined) return { parts: new Map(), redactions: [] };
  if (redactions.length === 0) return { parts: new Map(own.map((part) => [part, part])), redactions: [] };
  const found = redactions.map(({ rule }) => ({ path: "/text", rule }));
  return { parts: new Map([[first, { ...first, text: value }]]), redactions: found };
}
