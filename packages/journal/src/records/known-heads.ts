/**
 * Reads a record quickly where it resembles one before it. Its head is all that stands in front of the body; most heads
 * differ only in number, time and execution. Behind a head that is known only the body is read, and of the body only what
 * differs from one before it.
 */
import { isRecordBody, LIMITS, RECORD_FORMAT, type RecordType, type TypedRecord } from "@femtoclaw/protocol";
import { digitsEnd, literalEnd, numberOf, plainEnd, plainTextEnd } from "./json-bytes.ts";
import { KnownBody } from "./known-body.ts";

/** LIMIT: heads that are known at once, one for each session and type; each takes about a kilobyte. */
const HEADS_MAX = 256;
/** LIMIT: bodies that are known behind one head; each is tried, and most heads have one or two kinds. */
const BODIES_MAX = 4;
/** LIMIT: characters of a body that is kept; a larger one is seldom written like another. */
const BODY_CHARS_MAX = 4_096;

const BEGIN = Buffer.from(`{"v":${RECORD_FORMAT},"seq":`);
const AT = Buffer.from(',"at":"');
const MONO = Buffer.from('","mono_us":');
const EXECUTION = Buffer.from(',"execution":');
const NULL = Buffer.from("null");
const CLOSING = 0x7d;

/** What the place of a record in the log depends on. */
export type Placed = Pick<TypedRecord, "boot" | "mono_us">;

interface Head {
  readonly boot: TypedRecord["boot"];
  readonly type: RecordType;
  /** The bytes from behind the execution up to the body. */
  readonly tail: Buffer;
  /** Those that were read behind it, if another record is written like one of them. */
  readonly bodies: KnownBody[];
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
    this.#heads.set(key, { boot, type, tail, bodies: [] });
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
      if (body === -1 || !isBody(head, bytes, { start: body, end: end - 1 })) return undefined;
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
  { type, bodies }: Head,
  bytes: Buffer,
  { start, end }: { readonly start: number; readonly end: number },
): boolean {
  // Commitments and redactions would stand behind the body, and end in another way.
  if (start >= end || bytes[end - 1] !== CLOSING || bytes[end] !== CLOSING) return false;
  for (const known of bodies) {
    const body = known.read(bytes, start, end);
    if (body !== undefined) return isRecordBody(type, body);
  }
  const text = bytes.toString("utf8", start, end);
  // What is no UTF-8 is read as the first; what has no UTF-8 form, a lone surrogate, is written as the second.
  if (text.includes("\ufffd") || text.includes("\\ud")) return false;
  try {
    const body = JSON.parse(text);
    if (JSON.stringify(body) !== text || !isRecordBody(type, body)) return false;
    if (bodies.length < BODIES_MAX && text.length <= BODY_CHARS_MAX) bodies.push(new KnownBody(text, body));
    return true;
  } catch {
    // What is wrong with it is found, and told, by whoever reads the record as a whole.
    return false;
  }
}

function json(value: unknown): string {
  return JSON.stringify(value);
}

/** Where a long literal ends, which the system's own comparison is quicker for; -1 where it does not stand at `at`. */
function tailEnd(bytes: Buffer, at: number, tail: Buffer): number {
  const end = at + tail.length;
  if (at === -1 || end > bytes.length) return -1;
  return bytes.compare(tail, 0, tail.length, at, end) === 0 ? end : -1;
}

/** Where an identifier of plain characters ends, or a null. */
function identifierEnd(bytes: Buffer, at: number): number {
  const end = plainTextEnd(bytes, at);
  return end === -1 ? literalEnd(bytes, at, NULL) : end;
}
