/**
 * Reads LevelDB's MANIFEST, which tells which tables are live and which logs are not yet in a table. Other files are
 * leftovers of a crash, which LevelDB deletes unread.
 */
import { damage, type LogRecord, scanLog } from "./leveldb-log.ts";

interface Manifest {
  /** LevelDB replays logs with this number or a higher one when it opens. */
  readonly logNumber: number;
  /** Bytes of each live table by its number. */
  readonly tables: ReadonlyMap<number, number>;
}

const COMPARATOR = 1;
const LOG_NUMBER = 2;
const NEXT_FILE_NUMBER = 3;
const LAST_SEQUENCE = 4;
const COMPACT_POINTER = 5;
const DELETED_FILE = 6;
const NEW_FILE = 7;
const PREVIOUS_LOG_NUMBER = 9;

/**
 * A torn last record is acceptable here too: it is a change that a crash prevented. Had the change been made, the files
 * that it replaced would be gone, and their absence is found.
 */
export function readManifest(file: string, bytes: Buffer): Manifest {
  let logNumber: number | null = null;
  const tables = new Map<string, { number: number; bytes: number }>();
  scanLog(file, bytes, (record) => {
    const fields = new Fields(file, record);
    while (!fields.done) {
      const tag = fields.varint();
      if (tag === LOG_NUMBER) logNumber = fields.varint();
      else if (tag === DELETED_FILE) tables.delete(`${fields.varint()}/${fields.varint()}`);
      else if (tag === NEW_FILE) {
        const level = fields.varint();
        const number = fields.varint();
        tables.set(`${level}/${number}`, { number, bytes: fields.varint() });
        fields.skipSlice();
        fields.skipSlice();
      } else skipField(fields, tag);
    }
  });
  if (logNumber === null) throw damage(file, 0, "no complete record names the current log");
  return { logNumber, tables: new Map([...tables.values()].map((table) => [table.number, table.bytes])) };
}

function skipField(fields: Fields, tag: number): void {
  switch (tag) {
    case COMPARATOR:
      fields.skipSlice();
      break;
    case COMPACT_POINTER:
      fields.varint();
      fields.skipSlice();
      break;
    case NEXT_FILE_NUMBER:
    case LAST_SEQUENCE:
    case PREVIOUS_LOG_NUMBER:
      fields.varint();
      break;
    default:
      throw fields.fault(`${tag} is no field of a version`);
  }
}

class Fields {
  readonly #file: string;
  readonly #offset: number;
  readonly #bytes: Buffer;
  #at = 0;

  constructor(file: string, record: LogRecord) {
    this.#file = file;
    this.#offset = record.offset;
    this.#bytes = Buffer.concat(record.fragments);
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  varint(): number {
    const { value, next } = readVarint(this.#bytes, this.#at) ?? this.#broken();
    this.#at = next;
    return value;
  }

  skipSlice(): void {
    const length = this.varint();
    if (length > this.#bytes.length - this.#at) this.#broken();
    this.#at += length;
  }

  fault(finding: string): Error {
    return damage(this.#file, this.#offset, finding);
  }

  #broken(): never {
    throw this.fault("a version record ends within a field");
  }
}

/** The variable-length integer at `at`; undefined if it does not end or is too large. */
export function readVarint(bytes: Uint8Array, at: number): { value: number; next: number } | undefined {
  let value = 0;
  let factor = 1;
  for (let next = at; next < bytes.length; ) {
    const byte = bytes[next] ?? 0;
    next += 1;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return Number.isSafeInteger(value) ? { value, next } : undefined;
    factor *= 128;
    if (factor > 2 ** 63) return undefined;
  }
  return undefined;
}
