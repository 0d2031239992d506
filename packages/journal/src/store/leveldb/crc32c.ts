/**
 * CRC-32C (Castagnoli), the checksum in LevelDB's files. It handles sixteen bytes per step by sixteen tables, because a
 * start reads all that it relies on first and spends that time in this loop.
 */
const POLYNOMIAL = 0x82f63b78;
const STEP_BYTES = 16;
/** Sixteen tables of 256 entries in one: the last is for the first byte of a step, the first for its last byte. */
const TABLES = buildTables();

/** Continues `crc` over `bytes[start, end)`; begin with 0. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length, crc = 0): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let state = ~crc;
  let at = start;
  for (; at + STEP_BYTES <= end; at += STEP_BYTES) {
    state =
      fourBytes(12, view.getInt32(at, true) ^ state) ^
      fourBytes(8, view.getInt32(at + 4, true)) ^
      fourBytes(4, view.getInt32(at + 8, true)) ^
      fourBytes(0, view.getInt32(at + 12, true));
  }
  for (; at < end; at += 1) state = entry(0, (state ^ view.getUint8(at)) & 0xff) ^ (state >>> 8);
  return ~state >>> 0;
}

/** LevelDB stores checksums rotated and shifted, because the checksum of data that contains checksums is weak. */
export function maskedCrc32c(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** The contribution of four bytes of a step, whose last byte uses this table. */
function fourBytes(table: number, word: number): number {
  return (
    entry(table + 3, word & 0xff) ^
    entry(table + 2, (word >>> 8) & 0xff) ^
    entry(table + 1, (word >>> 16) & 0xff) ^
    entry(table, word >>> 24)
  );
}

function entry(table: number, index: number): number {
  return TABLES[(table << 8) | index] as number;
}

function buildTables(): Int32Array {
  const tables = new Int32Array(STEP_BYTES * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[byte] = crc;
  }
  for (let at = 256; at < tables.length; at += 1) {
    const before = tables[at - 256] as number;
    tables[at] = (before >>> 8) ^ (tables[before & 0xff] as number);
  }
  return tables;
}
