/**
 * Reads bodies of records without parsing them. A body that was parsed once is a template for later ones after the same
 * head. Most of these differ only in whole numbers and plain strings, which are put into the parsed value.
 */
import { digitsEnd, numberOf, plainTextEnd, sameEnd } from "./json-bytes.ts";

type Holder = Record<string, unknown>;

/** A place in the template where another body may have another whole number or another plain string. */
interface Leaf {
  readonly start: number;
  readonly end: number;
  readonly holder: Holder;
  readonly key: string;
  readonly value: number | string;
  /**
   * Whether the parsed body holds the template's own value at present. It usually does, and then need not be set again.
   */
  isOwn: boolean;
}

export class KnownBody {
  readonly #text: Buffer;
  readonly #body: Holder;
  readonly #leaves: readonly Leaf[];

  /** `text` is how the journal writes `body`. The caller must not use `body` any more. */
  constructor(text: string, body: Holder) {
    this.#text = Buffer.from(text);
    this.#body = body;
    const leaves: Leaf[] = [];
    gather(body, 0, leaves);
    this.#leaves = leaves;
  }

  /**
   * What `parseJson` would return for `bytes[start, end)`; undefined if these bytes do not follow the template. The
   * value is valid until the next call. INVARIANT: the journal would write the value with exactly these bytes.
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

  /** Sets the leaf to the value found at `at`. Returns the end of that value, or -1 if it is of another kind. */
  #put(leaf: Leaf, bytes: Buffer, at: number): number {
    const { start, end, holder, key, value } = leaf;
    // The comparison includes the next byte, because a longer number may begin with the same digits.
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

/**
 * Adds the leaves of the value that is written from `at` on, in the order of the text. Returns the end of that value.
 */
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
