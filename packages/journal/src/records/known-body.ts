/**
 * The body of a record that was read once. Most others behind the same head are written alike, and differ in whole numbers
 * and plain texts alone: with theirs put in the places of its own, the body is the one that stands there.
 */
import { digitsEnd, numberOf, plainTextEnd, sameEnd } from "./json-bytes.ts";

type Holder = Record<string, unknown>;

/** A number or a text, in place of which others may have a whole number or a plain text. */
interface Leaf {
  readonly start: number;
  readonly end: number;
  readonly holder: Holder;
  readonly key: string;
  readonly value: number | string;
  /** Whether its own value stands in its place; most have, and to put it there again would take as long as to look. */
  isOwn: boolean;
}

export class KnownBody {
  readonly #text: Buffer;
  readonly #body: Holder;
  readonly #leaves: readonly Leaf[];

  /** `text` is how the journal writes `body`, which from now on belongs to this alone. */
  constructor(text: string, body: Holder) {
    this.#text = Buffer.from(text);
    this.#body = body;
    const leaves: Leaf[] = [];
    gather(body, 0, leaves);
    this.#leaves = leaves;
  }

  /**
   * What `JSON.parse` makes of `bytes[start, end)`, if that is written like this body; it counts until the next is asked
   * for. INVARIANT: the journal writes what is returned with these very bytes.
   */
  read(bytes: Buffer, start: number, end: number): unknown {
    let at = start;
    let own = 0;
    for (const leaf of this.#leaves) {
      at = sameEnd(bytes, at, this.#text, own, leaf.start);
      if (at !== -1) at = this.#put(leaf, bytes, at);
      if (at === -1) return undefined;
      own = leaf.end;
    }
    return sameEnd(bytes, at, this.#text, own, this.#text.length) === end ? this.#body : undefined;
  }

  /** Puts what stands at `at` in the leaf's place; gives its end, or -1 where it is nothing of that kind. */
  #put(leaf: Leaf, bytes: Buffer, at: number): number {
    const { start, end, holder, key, value } = leaf;
    // With the byte behind it, because a longer number may begin with the same digits.
    if (sameEnd(bytes, at, this.#text, start, end + 1) !== -1) {
      if (!leaf.isOwn) holder[key] = value;
      leaf.isOwn = true;
      return at + end - start;
    }
    const isText = typeof value === "string";
    const stop = isText ? plainTextEnd(bytes, at) : digitsEnd(bytes, at);
    if (stop === -1) return -1;
    holder[key] = isText ? bytes.toString("latin1", at + 1, stop - 1) : numberOf(bytes, at, stop);
    leaf.isOwn = false;
    return stop;
  }
}

/** Adds the leaves of what is written from `at` on, in the order of the text; gives its end. */
function gather(holder: Holder, at: number, leaves: Leaf[]): number {
  const isArray = Array.isArray(holder);
  const entries = Object.entries(holder);
  let start = at + 1;
  for (const [key, value] of entries) {
    if (!isArray) start += lengthOf(key) + 1;
    const isHolder = typeof value === "object" && value !== null;
    const end = isHolder ? gather(value as Holder, start, leaves) : start + lengthOf(value);
    const isLeaf = typeof value === "number" || typeof value === "string";
    if (isLeaf) leaves.push({ start, end, holder, key, value, isOwn: true });
    start = end + 1;
  }
  return entries.length === 0 ? at + 2 : start;
}

function lengthOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
