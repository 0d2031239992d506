/**
 * Finds JSON tokens in bytes, as the journal writes them. Each function takes the place where a token begins and
 * returns where it ends, or -1 if there is no such token.
 */

/** LIMIT: digits of a number; JavaScript holds any number of so many digits exactly. */
const DIGITS_MAX = 15;
const QUOTE = 0x22;
const ZERO = 0x30;
const BACKSLASH = 0x5c;

/** The end of a literal. `at` may be -1, so that calls can be chained. */
export function literalEnd(bytes: Uint8Array, at: number, literal: Uint8Array): number {
  return at === -1 ? -1 : sameEnd(bytes, at, literal, 0, literal.length);
}

/** The end of the bytes that equal `text[from, to)`. */
export function sameEnd(bytes: Uint8Array, at: number, text: Uint8Array, from: number, to: number): number {
  const ahead = at - from;
  for (let index = from; index < to; index += 1) {
    if (bytes[ahead + index] !== text[index]) return -1;
  }
  return ahead + to;
}

/** The end of a whole number in JSON form. */
export function digitsEnd(bytes: Uint8Array, at: number): number {
  if (at === -1) return -1;
  let end = at;
  while (isDigit(bytes[end])) end += 1;
  const isOwn = end > at && end - at <= DIGITS_MAX && (bytes[at] !== ZERO || end === at + 1);
  return isOwn ? end : -1;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte < ZERO + 10;
}

/** The value of these digits. */
export function numberOf(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at += 1) value = value * 10 + (bytes[at] as number) - ZERO;
  return value;
}

/** The end of a run of single-byte characters that JSON text contains unescaped. */
export function plainEnd(bytes: Uint8Array, at: number): number {
  if (at === -1) return -1;
  let end = at;
  for (let byte = bytes[end]; byte !== undefined && isPlain(byte); byte = bytes[end]) end += 1;
  return end;
}

function isPlain(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f && byte !== QUOTE && byte !== BACKSLASH;
}

/** The end of a quoted string of such characters. */
export function plainTextEnd(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== QUOTE) return -1;
  const end = plainEnd(bytes, at + 1);
  return bytes[end] === QUOTE ? end + 1 : -1;
}
