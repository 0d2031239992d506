/**
 * Reads LevelDB's log format: blocks of 32 KiB that hold records or fragments of records, each with a checksum. LevelDB
 * itself would skip damage here and go on, so the log is checked before LevelDB sees it.
 */
import { FemtoError } from "@femtoclaw/protocol";
import { crc32c, maskedCrc32c } from "./crc32c.ts";

const BLOCK_BYTES = 32_768;
const HEADER_BYTES = 7;
const FULL = 1;
const FIRST = 2;
const MIDDLE = 3;
const LAST = 4;

interface LogScan {
  /** Where an incomplete last record begins; null if the log ends with a complete one. */
  readonly tornAt: number | null;
}

export interface LogRecord {
  readonly offset: number;
  readonly fragments: readonly Uint8Array[];
}

interface Header {
  readonly checksum: number;
  readonly length: number;
  readonly type: number;
}

/** An error about a file, worded alike in every check of this package. */
export function damage(file: string, offset: number, finding: string): FemtoError {
  return new FemtoError("FEMTO_JOURNAL_CORRUPT", `${file}, byte ${offset}: ${finding}`);
}

/**
 * Checks every byte and passes on the complete records. Throws for anything but a last record that a crash could have
 * cut short.
 */
export function scanLog(file: string, bytes: Buffer, onRecord: (record: LogRecord) => void): LogScan {
  let open: { offset: number; fragments: Uint8Array[] } | null = null;
  let at = 0;
  while (at < bytes.length) {
    const blockLeft = BLOCK_BYTES - (at % BLOCK_BYTES);
    if (blockLeft < HEADER_BYTES) {
      at = skipTrailer(file, bytes, at, blockLeft);
      continue;
    }
    if (bytes.length - at < HEADER_BYTES) return { tornAt: open?.offset ?? at };
    const header = readHeader(bytes, at);
    const end = at + HEADER_BYTES + header.length;
    checkForm(file, at, header, blockLeft, open !== null);
    if (end > bytes.length) {
      refuseUnlessCut(file, bytes, at, header);
      return { tornAt: open?.offset ?? at };
    }
    if (maskedCrc32c(crc32c(bytes, at + 6, end)) !== header.checksum) {
      throw damage(file, at, "the checksum of a log record does not match");
    }
    const fragment = bytes.subarray(at + HEADER_BYTES, end);
    if (header.type === FULL) {
      onRecord({ offset: at, fragments: [fragment] });
    } else {
      open ??= { offset: at, fragments: [] };
      open.fragments.push(fragment);
      if (header.type === LAST) {
        onRecord(open);
        open = null;
      }
    }
    at = end;
  }
  return { tornAt: open?.offset ?? null };
}

function readHeader(bytes: Buffer, at: number): Header {
  return { checksum: bytes.readUInt32LE(at), length: bytes.readUInt16LE(at + 4), type: bytes.readUInt8(at + 6) };
}

function skipTrailer(file: string, bytes: Buffer, at: number, blockLeft: number): number {
  const end = Math.min(at + blockLeft, bytes.length);
  if (bytes.subarray(at, end).some((byte) => byte !== 0)) {
    throw damage(file, at, "the unused end of a block is not empty");
  }
  return end;
}

/** Refuses headers that no writer produces. These include zeros: a zeroed block is damage, not the end of the log. */
function checkForm(file: string, at: number, header: Header, blockLeft: number, inRecord: boolean): void {
  const { length, type } = header;
  if (type < FULL || type > LAST) throw damage(file, at, `${type} is no type of a log record`);
  const continues = type === MIDDLE || type === LAST;
  if (continues !== inRecord) throw damage(file, at, "a fragment of a log record stands out of order");
  const room = blockLeft - HEADER_BYTES;
  const fillsBlock = type === FIRST || type === MIDDLE;
  if (length > room || (fillsBlock && length !== room)) {
    throw damage(file, at, "the length of a log record does not fit its block");
  }
}

/**
 * INVARIANT: an acknowledged record is never taken for a torn one. The checksum does not cover the length, so a damaged
 * length can point beyond the end of the file. A record that was really cut short has no shorter payload that matches
 * its checksum, and no complete record after its header.
 */
function refuseUnlessCut(file: string, bytes: Buffer, at: number, header: Header): void {
  let crc = crc32c(bytes, at + 6, at + HEADER_BYTES);
  for (let end = at + HEADER_BYTES; ; end += 1) {
    if (maskedCrc32c(crc) === header.checksum) {
      throw damage(file, at, "the length of a log record is damaged");
    }
    if (end === bytes.length) break;
    crc = crc32c(bytes, end, end + 1, crc);
  }
  for (let next = at + HEADER_BYTES; next + HEADER_BYTES <= bytes.length; next += 1) {
    const { checksum, length, type } = readHeader(bytes, next);
    const end = next + HEADER_BYTES + length;
    if (type < FULL || type > LAST || end > bytes.length) continue;
    if (maskedCrc32c(crc32c(bytes, next + 6, end)) === checksum) {
      throw damage(file, at, `the header of a log record is damaged, for another follows at byte ${next}`);
    }
  }
}
