/**
 * Takes secrets out of a text that arrives in pieces. The output as a whole equals what `redact` would make of the
 * whole text, however it is cut. What may be the beginning of a secret is held back until that is decided.
 */
import { textRedacted } from "./redact.ts";
import { KEY_BEGINS, KEY_ENDS, reachesOver, VALUE_ENDS } from "./secret-patterns.ts";

/** LIMIT: characters held back. A longer word is not shown at all, because it may be a secret. */
const HELD_CHARS = 4_096;
/**
 * Characters before a position in which everything begins that `reachesOver` can find there. The head of a private key
 * fits too.
 */
const REACH_CHARS = 192;
/** Characters kept of the inside of a private key, in which its final line may have begun. */
const KEY_CHARS = 96;

const KEY_MARK = "-----BEGIN ";

export class SecretStream {
  #held = "";
  /** Places in what is held at which a word begins that is held back together with all before it. */
  #linked: ReadonlySet<number> = NOTHING_LINKED;
  /** Characters so far of a word that is too long; 0 if there is none. */
  #unshown = 0;

  /** Returns what may be shown by now. */
  push(piece: string): string {
    const text = withoutKeyBody(this.#held + piece);
    if (this.#unshown > 0) return this.#behindLongWord(text, this.#held.length, piece.length);
    const isWhole = text.length === this.#held.length + piece.length;
    const { from, linked } = heldFrom(text, isWhole ? this.#linked : NOTHING_LINKED);
    this.#held = text.slice(from);
    this.#linked = linked;
    if (this.#held.length > HELD_CHARS) this.#leaveOut(this.#held, this.#held.length);
    return textRedacted(text.slice(0, from));
  }

  /** Returns the rest, when the text has ended. */
  end(): string {
    const rest = this.#unshown > 0 ? notice(this.#unshown) : textRedacted(this.#held);
    this.#held = "";
    this.#unshown = 0;
    return rest;
  }

  /** A long word ends at white space that no secret extends over. The text after that is processed as usual. */
  #behindLongWord(text: string, seen: number, came: number): string {
    const keys = keysIn(text);
    for (let at = Math.max(1, seen); at <= text.length; at += 1) {
      if (!/\s/.test(text.charAt(at - 1)) || reachedFrom(text, at, keys) !== null) continue;
      const left = notice(this.#unshown + Math.max(0, at - 1 - seen));
      this.#unshown = 0;
      this.#held = "";
      return `${left}${text.charAt(at - 1)}${this.push(text.slice(at))}`;
    }
    this.#leaveOut(text, came);
    return "";
  }

  /** Shows nothing of the text, but holds as much of it as is needed to recognize where the omitted part ends. */
  #leaveOut(text: string, chars: number): void {
    this.#unshown += chars;
    this.#linked = NOTHING_LINKED;
    const open = keysIn(text).find(({ to }) => to === null);
    this.#held = text.slice(Math.min(open?.from ?? text.length, Math.max(0, text.length - REACH_CHARS)));
  }
}

const notice = (chars: number): string => `[${chars} characters without a break are not shown]`;

const NOTHING_LINKED: ReadonlySet<number> = new Set();

interface HeldBack {
  readonly from: number;
  /** Places behind `from`, counted from there, that lead to it whatever follows the text. */
  readonly linked: ReadonlySet<number>;
}

/**
 * The position from which the text is held back. INVARIANT: I10: nothing that begins before that position can extend
 * beyond it, whatever arrives, and what begins after it is recognized without the text before it.
 *
 * `known` are places that lead to the beginning of the text, as an earlier look has found. INVARIANT: I9: a program may
 * write single characters, and each of them must not have all looked at again that is held back.
 */
function heldFrom(text: string, known: ReadonlySet<number>): HeldBack {
  const keys = keysIn(text);
  const wordAt = wordsOf(text);
  const met: number[] = [];
  let word = wordAt(text.length);
  while (!known.has(word.start)) {
    // A quoted value or a key loses its white space when it is taken out. It may then be a part of a URL's password.
    const reached = reachedFrom(text, word.start, keys) ?? reachedFrom(text, word.run, keys);
    if (reached === null) break;
    // What a word at the very end reaches may still depend on the character that follows.
    if (word.start < text.length) met.push(word.start);
    word = wordAt(reached);
  }
  if (known.has(word.start)) return { from: 0, linked: new Set([...known, ...met]) };
  const from = word.start;
  return { from, linked: new Set(met.map((place) => place - from)) };
}

/** The beginning of something that extends, or may extend, beyond this position; null if there is nothing. */
function reachedFrom(text: string, place: number, keys: readonly Key[]): number | null {
  const key = keys.find(({ from, to }) => from < place && (to === null || place < to));
  if (key !== undefined) return key.from;
  const start = Math.max(0, place - REACH_CHARS);
  const reached = reachesOver(text.slice(start, place), text.charAt(place));
  return reached === null ? null : start + reached;
}

interface Word {
  readonly start: number;
  /** Where the text without white space begins that the word is a part of. */
  readonly run: number;
}

/**
 * Returns a function that tells where the word before a position begins. A URL extends over everything up to white
 * space. If the positions descend, each character of a hostile text is looked at only once.
 */
function wordsOf(text: string): (place: number) => Word {
  let run = Number.POSITIVE_INFINITY;
  let address = -1;
  return (place) => {
    let start = place;
    while (start > 0 && !VALUE_ENDS.test(text.charAt(start - 1))) start -= 1;
    if (place < run) {
      run = start;
      while (run > 0 && !/\s/.test(text.charAt(run - 1))) run -= 1;
      address = text.slice(run, place).indexOf("://");
    }
    return { start: address !== -1 && run + address + "://".length <= place ? run : start, run };
  };
}

interface Key {
  readonly from: number;
  /** Null if its end has not arrived yet. */
  readonly to: number | null;
}

/** The private keys of a text. */
function keysIn(text: string): readonly Key[] {
  const keys: Key[] = [];
  for (let at = text.indexOf(KEY_MARK); at !== -1; ) {
    const head = KEY_BEGINS.exec(text.slice(at, at + REACH_CHARS))?.[0].length;
    const end = head === undefined ? null : KEY_ENDS.exec(text.slice(at + head));
    const to = head === undefined || end === null ? null : at + head + end.index + end[0].length;
    if (head !== undefined) keys.push({ from: at, to });
    if (head !== undefined && to === null) break;
    at = text.indexOf(KEY_MARK, to ?? at + 1);
  }
  return keys;
}

/** Drops the inside of an unfinished key: it is enough to know that the key has begun. */
function withoutKeyBody(text: string): string {
  const open = text.includes(KEY_MARK) ? keysIn(text).find(({ to }) => to === null) : undefined;
  if (open === undefined) return text;
  const inside = open.from + (KEY_BEGINS.exec(text.slice(open.from, open.from + REACH_CHARS))?.[0].length ?? 0);
  return text.length - inside <= KEY_CHARS ? text : text.slice(0, inside) + text.slice(-KEY_CHARS);
}
