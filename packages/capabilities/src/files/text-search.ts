/**
 * Finds bytes in bytes in time that grows with their lengths alone (Knuth, Morris and Pratt). The search that comes with
 * Node.js takes seconds for a megabyte when a text repeats itself, and who proposes chooses both.
 */

export class TextSearch {
  readonly #wanted: Buffer;
  /** For each prefix of what is wanted: how many bytes of it are also its end. */
  readonly #borders: Int32Array;

  /** At least one byte. */
  constructor(wanted: Buffer) {
    this.#wanted = wanted;
    this.#borders = bordersOf(wanted);
  }

  /** Where it begins at or after `from`; -1 where it does not. */
  indexIn(content: Buffer, from = 0): number {
    const wanted = this.#wanted;
    const borders = this.#borders;
    const first = wanted[0] ?? 0;
    let matched = 0;
    for (let at = from; at < content.length; at += 1) {
      if (matched === 0) {
        at = content.indexOf(first, at);
        if (at === -1) return -1;
      }
      const byte = content[at];
      while (matched > 0 && wanted[matched] !== byte) matched = borders[matched - 1] ?? 0;
      if (wanted[matched] === byte) matched += 1;
      if (matched === wanted.length) return at - matched + 1;
    }
    return -1;
  }
}

function bordersOf(wanted: Buffer): Int32Array {
  const borders = new Int32Array(wanted.length);
  let length = 0;
  for (let at = 1; at < wanted.length; at += 1) {
    while (length > 0 && wanted[length] !== wanted[at]) length = borders[length - 1] ?? 0;
    if (wanted[length] === wanted[at]) length += 1;
    borders[at] = length;
  }
  return borders;
}
