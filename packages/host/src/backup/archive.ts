/**
 * Backups are ustar archives, so that ordinary tools can list and extract what is in them. They hold only plain files,
 * one after the other and uncompressed, so nothing unpacks to more than its size in the archive.
 */
import assert from "node:assert/strict";
import { createHash, type Hash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { FemtoError, printable } from "@femtoclaw/protocol";

const BLOCK = 512;
const CHUNK_BYTES = 1 << 20;
const NOTHING = Buffer.alloc(BLOCK);
/**
 * LIMIT: bytes of a file whose size fits into the header's octal digits. Larger sizes are written as GNU tar does it.
 */
const OCTAL_MAX = 8 ** 11 - 1;
/** LIMIT: parts of a path: folders within each other, and the file. */
const DEPTH_MAX = 16;
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;

export interface ArchiveEntry {
  readonly path: string;
  readonly bytes: number;
  /** SHA-256 of everything before this entry, in hexadecimal. */
  readonly before: string;
  /** Has to be read to its end before the next entry is asked for. */
  readonly content: AsyncIterable<Buffer>;
}

export class ArchiveWriter {
  readonly #file: FileHandle;
  readonly #at: number;
  readonly #hash = createHash("sha256");

  /** `at` is the time of all entries, in milliseconds. */
  constructor(file: FileHandle, at: number) {
    this.#file = file;
    this.#at = Math.floor(at / 1_000);
  }

  /** SHA-256 of what was written so far, in hexadecimal. */
  get sha256(): string {
    return this.#hash.copy().digest("hex");
  }

  async add(path: string, content: Uint8Array): Promise<void> {
    await this.#write(headerOf(path, content.length, this.#at));
    await this.#write(content);
    await this.#pad(content.length);
  }

  /** Adds the file as it is; throws if it becomes shorter meanwhile. */
  async addFile(path: string, from: FileHandle): Promise<void> {
    const { size } = await from.stat();
    await this.#write(headerOf(path, size, this.#at));
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, Math.max(size, 1)));
    for (let at = 0; at < size; ) {
      const { bytesRead } = await from.read(chunk, 0, Math.min(chunk.length, size - at), at);
      if (bytesRead === 0) throw new FemtoError("FEMTO_BACKUP_FAILED", `${printable(path)} changed while it was read`);
      await this.#write(chunk.subarray(0, bytesRead));
      at += bytesRead;
    }
    await this.#pad(size);
  }

  /** Ends the archive, which is durable when this resolves. */
  async end(): Promise<void> {
    for (let blocks = 0; blocks < 2; blocks += 1) await this.#write(NOTHING);
    await this.#file.sync();
  }

  async #pad(size: number): Promise<void> {
    await this.#write(NOTHING.subarray(0, paddingOf(size)));
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    this.#hash.update(bytes);
    await this.#file.writeFile(bytes);
  }
}

/**
 * The entries of an archive of `size` bytes. Throws FEMTO_BACKUP_DAMAGED for anything that `ArchiveWriter` would not
 * have written.
 */
export async function* readArchive(file: FileHandle, size: number): AsyncGenerator<ArchiveEntry> {
  const reading = new Reading(file, size);
  const seen = new Set<string>();
  for (;;) {
    const [start, before] = [reading.at, reading.hash.copy()];
    const block = await reading.take(BLOCK);
    if (block.equals(NOTHING)) {
      if (!(await reading.take(BLOCK)).equals(NOTHING) || reading.at !== size)
        throw damaged("something follows its end");
      return;
    }
    const { path, bytes } = parsedHeader(block, start);
    if (seen.has(path)) throw damaged(`it holds ${printable(path)} twice`);
    seen.add(path);
    if (bytes > size - reading.at) throw damaged(`it ends within ${printable(path)}`);
    yield { path, bytes, before: before.digest("hex"), content: reading.content(bytes) };
    assert.equal(reading.at, start + BLOCK + bytes, "an entry is read to its end");
    const padding = await reading.take(paddingOf(bytes));
    if (!padding.equals(NOTHING.subarray(0, padding.length))) throw damaged(`something follows ${printable(path)}`);
  }
}

class Reading {
  readonly #file: FileHandle;
  readonly #size: number;
  readonly hash: Hash = createHash("sha256");
  at = 0;

  constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.#size = size;
  }

  async take(length: number): Promise<Buffer> {
    if (length > this.#size - this.at) throw damaged("it ends too early");
    const buffer = Buffer.allocUnsafe(length);
    for (let read = 0; read < length; ) {
      const { bytesRead } = await this.#file.read(buffer, read, length - read, this.at + read);
      if (bytesRead === 0) throw damaged("it became shorter while it was read");
      read += bytesRead;
    }
    this.hash.update(buffer);
    this.at += length;
    return buffer;
  }

  async *content(bytes: number): AsyncGenerator<Buffer> {
    for (let left = bytes; left > 0; ) {
      const chunk = await this.take(Math.min(left, CHUNK_BYTES));
      left -= chunk.length;
      yield chunk;
    }
  }
}

const paddingOf = (size: number): number => (BLOCK - (size % BLOCK)) % BLOCK;

/** The header of a plain file with mode 0600 that names no owner. */
function headerOf(path: string, size: number, seconds: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  const { name, prefix } = splitPath(path);
  header.write(name, 0);
  header.write("0000600\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  if (size <= OCTAL_MAX) header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  else {
    header[124] = 0x80;
    header.writeBigUInt64BE(BigInt(size), 128);
  }
  header.write(`${seconds.toString(8).padStart(11, "0")}\0`, 136);
  header.write("        ", 148);
  header.write("0", 156);
  header.write("ustar\u000000", 257);
  header.write(prefix, 345);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

function splitPath(path: string): { readonly name: string; readonly prefix: string } {
  if (Buffer.byteLength(path) <= NAME_BYTES) return { name: path, prefix: "" };
  for (let at = path.indexOf("/"); at !== -1; at = path.indexOf("/", at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (Buffer.byteLength(prefix) <= PREFIX_BYTES && Buffer.byteLength(name) <= NAME_BYTES) return { name, prefix };
  }
  throw new FemtoError("FEMTO_BACKUP_FAILED", `the name ${printable(path)} is too long for a backup`, {
    fix: `Give it a name of at most ${NAME_BYTES} bytes.`,
  });
}

// INVARIANT: a header is accepted only if it is exactly the one that would be written: no link, no device, no way out
// of the folder.
function parsedHeader(block: Buffer, at: number): { readonly path: string; readonly bytes: number } {
  const unknown = damaged(`what stands at byte ${at} is no entry of a backup`);
  const name = textOf(block.subarray(0, 100));
  const prefix = textOf(block.subarray(345, 500));
  const seconds = octalOf(block.subarray(136, 147));
  const bytes = block[124] === 0x80 ? Number(block.readBigUInt64BE(128)) : octalOf(block.subarray(124, 135));
  if (name === null || prefix === null || seconds === null || bytes === null) throw unknown;
  const path = prefix === "" ? name : `${prefix}/${name}`;
  if (!Number.isSafeInteger(bytes) || !isPlain(path) || !headerOf(path, bytes, seconds).equals(block)) throw unknown;
  return { path, bytes };
}

function isPlain(path: string): boolean {
  const parts = path.split("/");
  return parts.length <= DEPTH_MAX && parts.every((part) => /^[^\0-\x1f\x7f]+$/.test(part) && !/^\.\.?$/.test(part));
}

function textOf(field: Buffer): string | null {
  const end = field.indexOf(0);
  const bytes = end === -1 ? field : field.subarray(0, end);
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes) ? text : null;
}

function octalOf(field: Buffer): number | null {
  const text = field.toString("latin1");
  return /^[0-7]{11}$/.test(text) ? Number.parseInt(text, 8) : null;
}

export function damaged(finding: string, cause?: unknown): FemtoError {
  return new FemtoError("FEMTO_BACKUP_DAMAGED", finding, { cause });
}
