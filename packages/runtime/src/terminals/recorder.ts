/**
 * Gathers what a terminal shows into records, with times. Secrets are looked for in all that was gathered of one
 * kind, across the pieces in which it came, and what may be the beginning of one waits for the rest of it.
 */
import type { PtySize } from "@femtoclaw/capabilities";
import { type Clock, type JournalEntry, redact } from "@femtoclaw/journal";
import { LIMITS, type Redaction, type TerminalMark } from "@femtoclaw/protocol";

export interface RecorderParts {
  readonly clock: Pick<Clock, "after" | "monotonicUs">;
  readonly terminal: string;
  readonly recordsInput: boolean;
  /** Null while the journal has no room to spare for what a terminal shows. */
  entry(body: TerminalRecordedEntry): void;
  hasRoom(): boolean;
}

export type TerminalRecordedEntry = Pick<JournalEntry & { readonly type: "terminal.recorded" }, "body" | "redacted">;

type Kind = TerminalMark["kind"];

interface Part {
  readonly kind: Kind;
  readonly atUs: number;
  readonly text: string;
}

/** LIMIT: parts of one record, as its schema has it. */
const PARTS = 256;
/** Parts of one kind that come within this time are one. */
const JOIN_US = 10_000;
/** LIMIT: characters of a line that waits for its end, so that a secret in it is seen whole. */
const LINE_CHARS = 1_024;
/** LIMIT: characters of a key in several lines that waits for its end. */
const KEY_CHARS = 16_384;

export class Recorder {
  readonly #parts: RecorderParts;
  #gathered: Part[] = [];
  #chars = 0;
  #unrecorded = 0;
  #cancel: (() => void) | null = null;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  /** Characters for which there was no room. */
  get unrecorded(): number {
    return this.#unrecorded;
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

  /** Writes down what is left; nothing comes after it. */
  end(): void {
    this.#flush(true);
    this.#cancel?.();
  }

  #add(kind: Kind, text: string): void {
    if (!this.#parts.hasRoom()) {
      this.#unrecorded += text.length;
      return;
    }
    const atUs = this.#parts.clock.monotonicUs();
    const last = this.#gathered.at(-1);
    // Sizes stay apart, else two of them would be one that means nothing.
    if (last?.kind === kind && kind !== "size" && atUs - last.atUs < JOIN_US) {
      this.#gathered[this.#gathered.length - 1] = { ...last, text: last.text + text };
    } else this.#gathered.push({ kind, atUs, text });
    this.#chars += text.length;
    if (this.#chars >= LIMITS.terminalRecordChars || this.#gathered.length >= PARTS) this.#flush(false);
    else this.#cancel ??= this.#parts.clock.after(LIMITS.terminalRecordMs, () => this.#flush(false), { unref: true });
  }

  #flush(isLast: boolean): void {
    this.#cancel?.();
    this.#cancel = null;
    const kept = isLast ? [] : heldBack(this.#gathered);
    const written = withoutHeldBack(this.#gathered, kept);
    // What has waited once and got nothing new goes as it is.
    const isStuck = written.length === 0 && kept.length > 0;
    const parts = isStuck ? this.#gathered : written;
    this.#gathered = isStuck ? [] : kept;
    this.#chars = this.#gathered.reduce((sum, { text }) => sum + text.length, 0);
    if (parts.length > 0) this.#parts.entry(recordedEntry(this.#parts.terminal, parts));
    if (this.#gathered.length > 0) {
      this.#cancel = this.#parts.clock.after(LIMITS.terminalRecordMs, () => this.#flush(false), { unref: true });
    }
  }
}

/** The end of the last output or input that may be the beginning of a secret, as a part of its own. */
function heldBack(parts: readonly Part[]): Part[] {
  const last = parts.at(-1);
  if (last === undefined || last.kind === "size") return [];
  const key = last.text.lastIndexOf("-----BEGIN ");
  const isOpenKey = key !== -1 && !last.text.includes("-----END ", key) && last.text.length - key <= KEY_CHARS;
  const line = Math.max(last.text.lastIndexOf("\n"), last.text.lastIndexOf("\r")) + 1;
  const from = isOpenKey ? key : line;
  const isShort = isOpenKey || last.text.length - from <= LINE_CHARS;
  return isShort && from < last.text.length ? [{ ...last, text: last.text.slice(from) }] : [];
}

function withoutHeldBack(parts: readonly Part[], [kept]: readonly Part[]): readonly Part[] {
  const last = parts.at(-1);
  if (kept === undefined || last === undefined) return parts;
  const text = last.text.slice(0, last.text.length - kept.text.length);
  return text === "" ? parts.slice(0, -1) : [...parts.slice(0, -1), { ...last, text }];
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

/** All parts of one kind without secrets; where one was found, they are one part at the time of the first. */
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
