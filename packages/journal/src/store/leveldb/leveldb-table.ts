/**
 * Checks one table of LevelDB. Its blocks follow each other without a gap from the first byte to the footer, so once
 * every block's checksum matches, no byte of the file is left unchecked.
 */
import { crc32c, maskedCrc32c } from "./crc32c.ts";
import { damage } from "./leveldb-log.ts";
import { readVarint } from "./leveldb-manifest.ts";

const FOOTER_BYTES = 48;
const MAGIC = Buffer.from("57fb808b247547db", "hex");
/** Compression type and checksum. */
const TRAILER_BYTES = 5;
const UNCOMPRESSED = 0;

/** A table of which only a part is in memory. */
export interface TableBytes {
  readonly length: number;
  /** These bytes, which must lie within the table. They are valid until the next call. */
  bytes(offset: number, length: number): Buffer;
}

interface BlockHandle {
  readonly offset: number;
  readonly length: number;
}

export function checkTable(file: string, table: TableBytes): void {
  const footer = table.length - FOOTER_BYTES;
  if (footer < 0) throw damage(file, 0, "the file is too short for a table");
  const end = table.bytes(footer, FOOTER_BYTES);
  if (!end.subarray(FOOTER_BYTES - MAGIC.length).equals(MAGIC)) throw damage(file, footer, "this is no table's footer");
  const meta = readHandle(end, 0);
  const index = meta === undefined ? undefined : readHandle(end, meta.next);
  if (meta === undefined || index === undefined) throw damage(file, footer, "the footer does not name its blocks");
  if (end.subarray(index.next, FOOTER_BYTES - MAGIC.length).some((byte) => byte !== 0)) {
    throw damage(file, footer, "the unused part of the footer is not empty");
  }
  const blocks = [
    ...handlesIn(file, table, index.handle),
    ...handlesIn(file, table, meta.handle),
    meta.handle,
    index.handle,
  ];
  let at = 0;
  for (const block of blocks) {
    if (block.offset !== at) throw damage(file, at, "no block of the table stands here");
    checkBlock(file, table, block);
    at += block.length + TRAILER_BYTES;
  }
  if (at !== footer) throw damage(file, at, "no block of the table stands here");
}

function readHandle(bytes: Uint8Array, at: number): { handle: BlockHandle; next: number } | undefined {
  const offset = readVarint(bytes, at);
  const length = offset === undefined ? undefined : readVarint(bytes, offset.next);
  if (offset === undefined || length === undefined) return undefined;
  return { handle: { offset: offset.value, length: length.value }, next: length.next };
}

/** The contents of a block whose checksum matches. */
function checkBlock(file: string, table: TableBytes, { offset, length }: BlockHandle): Buffer {
  if (offset + length + TRAILER_BYTES > table.length - FOOTER_BYTES)
    throw damage(file, offset, "a block reaches too far");
  const bytes = table.bytes(offset, length + TRAILER_BYTES);
  if (maskedCrc32c(crc32c(bytes, 0, length + 1)) !== bytes.readUInt32LE(length + 1)) {
    throw damage(file, offset, "the checksum of a block does not match");
  }
  if (bytes[length] !== UNCOMPRESSED) {
    throw damage(file, offset + length, "a block is compressed, which this store never does");
  }
  return bytes.subarray(0, length);
}

/** The block handles that are the values in an index block. */
function handlesIn(file: string, table: TableBytes, block: BlockHandle): BlockHandle[] {
  const contents = checkBlock(file, table, block);
  const broken = (): never => {
    throw damage(file, block.offset, "an index block is broken");
  };
  if (contents.length < 4) broken();
  const entriesEnd = contents.length - 4 - 4 * contents.readUInt32LE(contents.length - 4);
  if (entriesEnd < 0) broken();
  const entries = contents.subarray(0, entriesEnd);
  const handles: BlockHandle[] = [];
  for (let at = 0; at < entriesEnd; ) {
    const shared = readVarint(entries, at) ?? broken();
    const unshared = readVarint(entries, shared.next) ?? broken();
    const length = readVarint(entries, unshared.next) ?? broken();
    const valueAt = length.next + unshared.value;
    const valueEnd = valueAt + length.value;
    const value = valueEnd <= entriesEnd ? readHandle(entries, valueAt) : undefined;
    if (value?.next !== valueEnd) broken();
    else handles.push(value.handle);
    at = valueEnd;
  }
  return handles;
}
