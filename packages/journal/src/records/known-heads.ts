/**
 * Reads a record quickly if it resembles an earlier one. The head of a record is everything before the body, and most
 * heads differ only in number, time and execution. After a known head only the body is read, and of the body only what
 * differs from an earlier one.
 */
import { isRecordBody, LIMITS, parseJson, RECORD_FORMAT, type RecordType, type TypedRecord } from "@femtoclaw/protocol";
import { digitsEnd, literalEnd, numberOf, plainEnd, plainTextEnd } from "./json-bytes.ts";
import { KnownBody } from "./known-body.ts";

/** LIMIT: known heads, one for each session and type; each takes about a kilobyte. */
const HEADS_MAX = 256;
/** LIMIT: known bodies per head. Each of them is tried in turn, and most heads have one or two kinds. */
const BODIES_MAX = 4;
/** LIMIT: characters of a body that is kept as a template; larger bodies seldom resemble each other. */
const BODY_CHARS_MAX = 4_096;

const BEGIN = Buffer.from(`{"v":${RECORD_FORMAT},"seq":`);
const AT = Buffer.from(',"at":"');
const MONO = Buffer.from('","mono_us":');
const EXECUTION = Buffer.from(',"execution":');
const NULL = Buffer.from("null");
const CLOSING = 0x7d;

/** What decides whether a record may follow the one before it. */
export type Placed = Pick<TypedRecord, "boot" | "mono_us">;

interface Head {
  readonly boot: TypedRecord["boot"];
  readonly type: RecordType;
  /** The bytes between the execution and the body. */
  readonly tail: Buffer;
  /** Templates of the bodies that followed this head. */
  readonly bodies: KnownBody[];
}

export class KnownHeads {
  /** By the bytes between the time and the execution, with each byte as one character. */
  readonly #heads = new Map<string, Head>();
  /** The lengths that these keys have, so that their end need not be searched for. */
  readonly #lengths: number[] = [];

  /** Takes the head of a record that was found valid as a whole. */
  learn({ boot, type, actor, session, machine }: TypedRecord): void {
    if (this.#heads.size >= HEADS_MAX) this.#forget();
    const behindTime = `,"boot":${json(boot)},"type":${json(type)},"actor":${json(actor)},"session":${json(session)}`;
    const tail = Buffer.from(`,"machine":${json(machine)},"body":`);
    const key = Buffer.from(behindTime).toString("latin1");
    this.#heads.set(key, { boot, type, tail, bodies: [] });
    if (!this.#lengths.includes(key.length)) this.#lengths.push(key.length);
  }

  /**
   * The place of the record in `bytes[start, end)`, if the record has this number, a known head and a body that matches
   * its schema, and if all of it is in canonical form. INVARIANT: reading such a record as a whole finds no fault in
   * it. Undefined does not mean that the record is wrong, only that it has to be read as a whole.
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

/** Whether these bytes are one valid body in canonical form, followed by the end of the record. */
function isBody(
  { type, bodies }: Head,
  bytes: Buffer,
  { start, end }: { readonly start: number; readonly end: number },
): boolean {
  // A record with commitments or redactions has them after its body, so it ends differently.
  if (start >= end || bytes[end - 1] !== CLOSING || bytes[end] !== CLOSING) return false;
  for (const known of bodies) {
    const body = known.read(bytes, start, end);
    if (body !== undefined) return isRecordBody(type, body);
  }
  const text = bytes.toString("utf8", start, end);
  // Invalid UTF-8 is decoded to the first; a lone surrogate, which has no UTF-8 form, is written as the second.
  if (text.includes("\ufffd") || text.includes("\\ud")) return false;
  try {
    const body = parseJson(text) as Record<string, unknown>;
    if (JSON.stringify(body) !== text || !isRecordBody(type, body)) return false;
    if (bodies.length < BODIES_MAX && text.length <= BODY_CHARS_MAX) bodies.push(new KnownBody(text, body));
    return true;
  } catch {
    // Reading the record as a whole will find and report what is wrong with it.
    return false;
  }
}

function json(value: unknown): string {
  return JSON.stringify(value);
}

/** The end of a long literal; -1 if it does not stand at `at`. For long literals the native comparison is faster. */
function tailEnd(bytes: Buffer, at: number, tail: Buffer): number {
  const end = at + tail.length;
  if (at === -1 || end > bytes.length) return -1;
  return bytes.compare(tail, 0, tail.length, at, end) === 0 ? end : -1;
}

/** The end of an identifier of plain characters, or of a null. */
function identifierEnd(bytes: Buffer, at: number): number {
  const end = plainTextEnd(bytes, at);
  return end === -1 ? literalEnd(bytes, at, NULL) : end;
}
