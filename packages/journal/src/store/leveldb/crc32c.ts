/**
 * CRC-32C (Castagnoli), as LevelDB guards its files with it. Eight bytes a step by eight tables: the
 * whole journal is read before it is opened, so this loop is what a start waits for.
 */
const POLYNOMIAL = 0x82f63b78;
const TABLES = buildTables();

/** Continues `crc` over `bytes[start, end)`; begin with 0. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length, crc = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let state = ~crc;
  let at = start;
  for (; at + 8 <= end; at += 8) {
    const low = view.getUint32(at, true) ^ state;
    const high = view.getUint32(at + 4, true);
    state =
      entry(t7, low & 0xff) ^
      entry(t6, (low >>> 8) & 0xff) ^
      entry(t5, (low >>> 16) & 0xff) ^
      entry(t4, low >>> 24) ^
      entry(t3, high & 0xff) ^
      entry(t2, (high >>> 8) & 0xff) ^
      entry(t1, (high >>> 16) & 0xff) ^
      entry(t0, high >>> 24);
  }
  for (; at < end; at += 1) state = entry(t0, (state ^ view.getUint8(at)) & 0xff) ^ (state >>> 8);
  return ~state >>> 0;
}

/** LevelDB stores checksums rotated and shifted, because a checksum of data that holds checksums is weak. */
export function maskedCrc32c(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

type Table = Int32Array;

function entry(table: Table, index: number): number {
  return table[index] as number;
}

function buildTables(): readonly [Table, Table, Table, Table, Table, Table, Table, Table] {
  const first = Int32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    return crc;
  });
  const next = (table: Table): Table => table.map((crc) => (crc >>> 8) ^ entry(first, crc & 0xff));
  const [second, third, fourth] = [next(first), next(next(first)), next(next(next(first)))];
  const fifth = next(fourth);
  const [sixth, seventh, eighth] = [next(fifth), next(next(fifth)), next(next(next(fifth)))];
  return [first, second, third, fourth, fifth, sixth, seventh, eighth];
}
