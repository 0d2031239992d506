/**
 * Resolves the escapes of URLs, of JSON and JavaScript, and of HTML. A body may consist of nothing but escapes, so
 * resolving one allocates no object. Pure.
 */

/** Bytes and, if escapes were resolved in them, where they came from. */
export interface View {
  readonly bytes: Buffer;
  /** For each resolved layer of escapes, how it moved the bytes of the layer before; the last layer comes first. */
  readonly places: readonly Places[];
}

/**
 * Positions behind each resolved escape, in this layer (`after`) and in the one before (`before`). The bytes between
 * two escapes moved as one piece.
 */
interface Places {
  readonly after: Uint32Array;
  readonly before: Uint32Array;
}

/** Codes of the characters that mean something here. */
const CODE = {
  percent: 0x25,
  ampersand: 0x26,
  hash: 0x23,
  zero: 0x30,
  semicolon: 0x3b,
  backslash: 0x5c,
  u: 0x75,
  x: 0x78,
} as const;

/** LIMIT: leading zeros in the number of a character. */
const ZEROS = 6;
const NAMES = Object.entries({ amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" }).map(([name, character]) => {
  return { name: Buffer.from(`${name};`), byte: character.charCodeAt(0) };
});

/** 1 for bytes with which an escape begins. */
const BEGINS = new Uint8Array(256);
for (const code of [CODE.percent, CODE.backslash, CODE.ampersand]) BEGINS[code] = 1;

/** Values of hexadecimal digits by their codes; -1 for anything else. */
const DIGITS = new Int8Array(256).fill(-1);
for (const [value, digits] of [..."0123456789abcdef"].entries()) {
  DIGITS[digits.charCodeAt(0)] = value;
  DIGITS[digits.toUpperCase().charCodeAt(0)] = value;
}

/** Resolves one layer of escapes everywhere; null if there are none. */
export function unescaped({ bytes, places }: View): View | null {
  const clear = Buffer.allocUnsafeSlow(bytes.length);
  // An escape has at least two bytes, and resolves to one.
  const [after, before] = [new Uint32Array(bytes.length / 2 + 1), new Uint32Array(bytes.length / 2 + 1)];
  let [length, done, count] = [0, 0, 0];
  for (let at = 0; at < bytes.length; at += 1) {
    if (BEGINS[bytes[at] as number] === 0) continue;
    const resolved = resolvedAt(bytes, at);
    if (resolved === 0) continue;
    length += bytes.copy(clear, length, done, at);
    clear[length] = resolved & 0xff;
    length += 1;
    done = at + (resolved >> 8);
    after[count] = length;
    before[count] = done;
    count += 1;
    at = done - 1;
  }
  if (count === 0) return null;
  length += bytes.copy(clear, length, done);
  const moved = { after: after.subarray(0, count), before: before.subarray(0, count) };
  return { bytes: clear.subarray(0, length), places: [moved, ...places] };
}

/** The original position of a position in the resolved bytes. */
export function cameFrom({ places }: View, place: number): number {
  return places.reduce(placeBefore, place);
}

function placeBefore(place: number, { after, before }: Places): number {
  let [low, high] = [0, after.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((after[middle] as number) <= place) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? place : (before[low - 1] as number) + place - (after[low - 1] as number);
}

/**
 * The byte that an escape at this position stands for, and the length of the escape, as `byte | length << 8`; 0 if
 * there is no escape.
 */
function resolvedAt(bytes: Uint8Array, from: number): number {
  switch (bytes[from]) {
    case CODE.percent:
      return pair(bytes, from + 1, 3);
    case CODE.backslash:
      return behindBackslash(bytes, from);
    case CODE.ampersand:
      return bytes[from + 1] === CODE.hash ? numbered(bytes, from) : named(bytes, from);
    default:
      return 0;
  }
}

/** The byte of two hexadecimal digits at the end of an escape of this length; 0 if they are no digits. */
function pair(bytes: Uint8Array, at: number, length: number): number {
  const [high, low] = [digitAt(bytes, at), digitAt(bytes, at + 1)];
  return high < 0 || low < 0 ? 0 : (high << 4) | low | (length << 8);
}

function digitAt(bytes: Uint8Array, at: number): number {
  return DIGITS[bytes[at] ?? 0] ?? -1;
}

function behindBackslash(bytes: Uint8Array, from: number): number {
  const next = bytes[from + 1];
  if (next === undefined) return 0;
  if (next === CODE.x) return pair(bytes, from + 2, 4);
  if (next === CODE.u) {
    const isShort = bytes[from + 2] === CODE.zero && bytes[from + 3] === CODE.zero;
    return isShort ? pair(bytes, from + 4, 6) : 0;
  }
  // A backslash before a letter or a digit stands for something that no value contains, such as the end of a line.
  return isAlphanumeric(next) ? 0 : next | (2 << 8);
}

function isAlphanumeric(code: number): boolean {
  const lower = code | 0x20;
  return (code >= CODE.zero && code <= 0x39) || (lower >= 0x61 && lower <= 0x7a);
}

/** Escapes such as `&#34;` and `&#x22;`, if they stand for ASCII. */
function numbered(bytes: Uint8Array, from: number): number {
  const base = ((bytes[from + 2] ?? 0) | 0x20) === CODE.x ? 16 : 10;
  const begin = from + (base === 16 ? 3 : 2);
  let value = 0;
  for (let at = begin; at < begin + ZEROS + 3; at += 1) {
    if (bytes[at] === CODE.semicolon) return at === begin ? 0 : value | ((at + 1 - from) << 8);
    const digit = digitAt(bytes, at);
    value = value * base + digit;
    if (digit < 0 || digit >= base || value > 0x7f) return 0;
  }
  return 0;
}

function named(bytes: Uint8Array, from: number): number {
  const first = bytes[from + 1];
  for (const { name, byte } of NAMES) {
    if (name[0] === first && standsAt(name, bytes, from + 1)) return byte | ((1 + name.length) << 8);
  }
  return 0;
}

function standsAt(name: Uint8Array, bytes: Uint8Array, from: number): boolean {
  for (let index = 0; index < name.length; index += 1) if (name[index] !== bytes[from + index]) return false;
  return true;
}
