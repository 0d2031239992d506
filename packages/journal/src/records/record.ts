/**
 * A record as it is stored: a JSON text in a fixed key order, written once and never changed. This file decides the
 * bytes that later proofs depend on.
 */
import {
  describeViolations,
  errorText,
  FemtoError,
  LIMITS,
  parseJson,
  RECORD_FORMAT,
  type RecordType,
  type TypedRecord,
  validateRecord,
} from "@femtoclaw/protocol";

const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * `JSON.stringify` escapes a lone surrogate. The backslash of that escape follows an even number of other backslashes;
 * after an odd number it is itself escaped, and the rest is plain text.
 */
const LONE_SURROGATE = /(?<!\\)(?:\\\\)*\\ud[89a-f][0-9a-f]{2}/;

/** The bytes to store for a record. Throws if the record is too large or holds text without a UTF-8 form. */
export function encodeRecord(record: TypedRecord): Buffer {
  return encodeText(record.type, orderedText(record));
}

/** Whether the text is exactly how the journal writes this record. */
export function isOwnText(text: string, record: TypedRecord): boolean {
  const own = orderedText(record);
  assertWellFormed(record.type, own);
  return own === text;
}

function orderedText(record: TypedRecord): string {
  const { v, seq, at, mono_us, boot, type, actor, session, execution, machine, body } = record;
  const { commitments, redactions } = record;
  return JSON.stringify({
    v,
    seq,
    at,
    mono_us,
    boot,
    type,
    actor,
    session,
    execution,
    machine,
    body,
    commitments,
    redactions,
  });
}

/** Like `encodeRecord`, for a JSON text of the record whose keys are in order already. */
export function encodeText(type: TypedRecord["type"], text: string): Buffer {
  assertWellFormed(type, text);
  const bytes = Buffer.from(text);
  assertFits(type, bytes);
  return bytes;
}

/** Throws FEMTO_JOURNAL_RECORD_TOO_LARGE if there are more bytes than a record may have. */
export function assertFits(type: TypedRecord["type"], { byteLength }: Uint8Array): void {
  if (byteLength <= LIMITS.recordBytes) return;
  throw new FemtoError(
    "FEMTO_JOURNAL_RECORD_TOO_LARGE",
    `a ${type} record has ${byteLength} bytes where at most ${LIMITS.recordBytes} are stored`,
  );
}

/** Throws FEMTO_PROTOCOL_TEXT if the JSON text has no UTF-8 form. */
export function assertWellFormed(type: TypedRecord["type"], text: string): void {
  if (text.includes("\\ud") && LONE_SURROGATE.test(text)) {
    throw new FemtoError("FEMTO_PROTOCOL_TEXT", `a ${type} record holds a lone surrogate`);
  }
}

/**
 * Throws FEMTO_INTERNAL for a record that nobody could read back. INVARIANT: I5: one such record would close the journal
 * for good, so it gets no number.
 */
export function assertReadable(record: TypedRecord): void {
  if (OF_PROPOSALS.has(record.type) || validateRecord(record)) return;
  const violations = describeViolations(validateRecord.errors ?? []);
  throw new FemtoError("FEMTO_INTERNAL", `a ${record.type} record would not match its schema: ${violations}`);
}

/** The gate makes these from what it has checked, many times a second. All others hold what operators and embedders say. */
const OF_PROPOSALS: ReadonlySet<RecordType> = new Set([
  ...(["message.recorded", "execution.refused", "execution.intent", "execution.outcome", "execution.hop"] as const),
  ...(["session.opened", "session.closed", "approval.asked", "terminal.recorded"] as const),
]);

/** Decodes stored bytes to a record and checks it against its schema. */
export function decodeRecord(bytes: Uint8Array): TypedRecord {
  return parseRecord(decodeText(bytes));
}

/** The text of stored bytes. Different bytes always give different texts. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return DECODER.decode(bytes);
  } catch (error) {
    throw notJson(error);
  }
}

export function parseRecord(text: string): TypedRecord {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw notJson(error);
  }
  const format = formatOf(value);
  if (format !== undefined && format !== RECORD_FORMAT) {
    throw new FemtoError(
      "FEMTO_JOURNAL_FORMAT",
      `a stored record has format ${format} where ${RECORD_FORMAT} is understood`,
    );
  }
  if (!validateRecord(value)) {
    const violations = describeViolations(validateRecord.errors ?? []);
    throw new FemtoError("FEMTO_JOURNAL_CORRUPT", `a stored record does not match its schema: ${violations}`);
  }
  return value as TypedRecord;
}

function notJson(error: unknown): FemtoError {
  return new FemtoError("FEMTO_JOURNAL_CORRUPT", `a stored record is not JSON: ${errorText(error)}`, { cause: error });
}

function formatOf(value: unknown): number | undefined {
  if (typeof value !== "object" || value === null || !("v" in value)) return undefined;
  return typeof value.v === "number" ? value.v : undefined;
}

/** Writes times as RFC 3339 in UTC with microseconds. The text of the current second is cached. */
export class UtcFormat {
  #second = Number.NaN;
  #text = "";

  /** `epochUs` is whole microseconds since 1970. */
  format(epochUs: number): string {
    const micros = epochUs % 1_000_000;
    const second = (epochUs - micros) / 1_000_000;
    if (second !== this.#second) {
      this.#second = second;
      this.#text = new Date(second * 1_000).toISOString().slice(0, 19);
    }
    return `${this.#text}.${String(micros).padStart(6, "0")}Z`;
  }
}
