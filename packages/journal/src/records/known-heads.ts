/**
 * Reads a record by what it shares with one before it. Most have a head, all that stands in front of the body, which
 * differs in number, time and execution alone; behind a head that was read once, only the body has to be.
 */
import { isRecordBody, LIMITS, RECORD_FORMAT, type RecordType, type TypedRecord } from "@femtoclaw/protocol";

/** LIMIT: heads that are known at once, one for each session and type; each takes about a kilobyte. */
const HEADS_MAX = 256;
/** LIMIT: digits of a number; any so long is one that JavaScript holds exactly. */
const DIGITS_MAX = 15;

const BEGIN = Buffer.from(`{"v":${RECORD_FORMAT},"seq":`);
const AT = Buffer.from(',"at":"');
const MONO = Buffer.from('","mono_us":');
const EXECUTION = Buffer.from(',"execution":');
const NULL = Buffer.from("null");
const QUOTE = 0x22;
const ZERO = 0x30;
const BACKSLASH = 0x5c;
const CLOSING = 0x7d;

/** What the place of a record in the log depends on. */
export type Placed = Pick<TypedRecord, "boot" | "mono_us">;

interface Head {
  readonly boot: TypedRecord["boot"];
  readonly type: RecordType;
  /** The bytes from behind the execution up to the body. */
  readonly tail: Buffer;
}

export class KnownHeads {
  /** By their bytes from behind the time up to the execution, each byte as one character. */
  readonly #heads = new Map<string, Head>();
  /** How many bytes these have, so that their end need not be looked for. */
  readonly #lengths: number[] = [];

  /** Takes the head of a record that was found to be right as a whole. */
  learn({ boot, type, actor, session, machine }: TypedRecord): void {
    if (this.#heads.size >= HEADS_MAX) this.#forget();
    const behindTime = `,"boot":${json(boot)},"type":${json(type)},"actor":${json(actor)},"session":${json(session)}`;
    const tail = Buffer.from(`,"machine":${json(machine)},"body":`);
    const key = Buffer.from(behindTime).toString("latin1");
    this.#heads.set(key, { boot, type, tail });
    if (!this.#lengths.includes(key.length)) this.#lengths.push(key.length);
  }

  /**
   * What the record `bytes[start, end)` says of its place, if it has this number, a known head, the body that its schema
   * asks for, and is written in the journal's own way. INVARIANT: reading such a record as a whole finds no fault in it.
   * Undefined says nothing against a record; it has to be read as a whole.
   */
  find(seq: number, bytes: Buffer, start: number, end: number): Placed | undefined {
    const number = literalEnd(bytes, start, BEGIN);
    const numberEnd = digitsEnd(bytes, number);
    const mono = literalEnd(bytes, plainEnd(bytes, literalEnd(bytes, numberEnd, AT)), MONO);
    const time = digitsEnd(bytes, mono);
    if (time === -1 || numberOf(bytes, number, numberEnd) !== seq) return undefined;
    for (const length of this.#lengths) {
      const execution = literalEnd(bytes, time + length, EXECUTION);
      const head = execution === -1 ? undefined : this.#heads.get(bytes.toString("latin1", time, time + length));
      if (head === undefined) continue;
      const body = tailEnd(bytes, identifierEnd(bytes, execution), head.tail);
      if (body === -1 || !isBody(head.type, bytes, { start: body, end: end - 1 })) return undefined;
      return end - start > LIMITS.recordBytes ? undefined : { boot: head.boot, mono_us: numberOf(bytes, mono, time) };
    }
    return undefined;
  }

  #forget(): void {
    this.#heads.clear();
    this.#lengths.length = 0;
  }
}

/** Whether one right body stands there, written in the journal's own way, and behind it the end of a record. */
function isBody(
  type: RecordType,
  bytes: Buffer,
  { start, end }: { readonly start: number; readonly end: number },
): boolean {
  // Commitments and redactions would stand behind the body, and end in another way.
  if (start >= end || bytes[end - 1] !== CLOSING || bytes[end] !== CLOSING) return false;
  const text = bytes.toString("utf8", start, end);
  // As the first is read what is no UTF-8, and as the second is written what has no form in it.
  if (text.includes("\ufffd") || text.includes("\\ud")) return false;
  try {
    const body: unknown = JSON.parse(text);
    return JSON.stringify(body) === text && isRecordBody(type, body);
  } catch {
    // What is wrong with it is found, and told, by whoever reads the record as a whole.
    return false;
  }
}

function json(value: unknown): string {
  return JSON.stringify(value);
}

/** Where what stands at `at` ends, if it is the literal; -1 otherwise, and where there is no such place. */
function literalEnd(bytes: Buffer, at: number, literal: Buffer): number {
  if (at === -1) return -1;
  for (let index = 0; index < literal.length; index += 1) {
    if (bytes[at + index] !== literal[index]) return -1;
  }
  return at + literal.length;
}

/** The same for what is so long that the system's own comparison is quicker. */
function tailEnd(bytes: Buffer, at: number, tail: Buffer): number {
  const end = at + tail.length;
  if (at === -1 || end > bytes.length) return -1;
  return bytes.compare(tail, 0, tail.length, at, end) === 0 ? end : -1;
}

/** Where the number ends that begins at `at`, if it is written as JSON writes one. */
function digitsEnd(bytes: Buffer, at: number): number {
  if (at === -1) return -1;
  let end = at;
  while (isDigit(bytes[end])) end += 1;
  const isOwn = end > at && end - at <= DIGITS_MAX && (bytes[at] !== ZERO || end === at + 1);
  return isOwn ? end : -1;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte < ZERO + 10;
}

function numberOf(bytes: Buffer, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at += 1) value = value * 10 + (bytes[at] as number) - ZERO;
  return value;
}

/** Where the characters end that have one byte and stand in a JSON text as they are. */
function plainEnd(bytes: Buffer, at: number): number {
  if (at === -1) return -1;
  let end = at;
  for (let byte = bytes[end]; byte !== undefined && isPlain(byte); byte = bytes[end]) end += 1;
  return end;
}

function isPlain(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f && byte !== QUOTE && byte !== BACKSLASH;
}

/** Where an identifier of plain characters ends, or a null. */
function identifierEnd(bytes: Buffer, at: number): number {
  if (bytes[at] !== QUOTE) return literalEnd(bytes, at, NULL);
  const end = plainEnd(bytes, at + 1);
  return bytes[end] === QUOTE ? end + 1 : -1;
}
