/**
 * Removes symbols and debug information from an ELF program: a quarter of Node.js, which nothing reads while it runs.
 * This is done here instead of by `strip`, so that every machine builds the same bytes, for other processors too.
 */
import assert from "node:assert/strict";

const HEADER_BYTES = 64;
const SECTION_BYTES = 64;
/** Sections with this flag are in memory while the program runs. */
const SHF_ALLOC = 2n;
const SHT_NULL = 0;
const SHT_STRTAB = 3;

interface Section {
  readonly header: Buffer;
  readonly type: number;
  readonly isLoaded: boolean;
  readonly offset: number;
  readonly size: number;
}

/** Whether the program is in the format that can be stripped here. */
export function isElf(program: Buffer): boolean {
  return program.subarray(0, 4).toString("latin1") === "\x7fELF";
}

/**
 * Handles 64 bit, little endian. Throws for anything else, or if a loaded section lies behind one that is not loaded.
 */
export function stripElf(program: Buffer): Buffer {
  const magic = program.subarray(0, 6).toString("latin1");
  assert.equal(magic, "\x7fELF\x02\x01", "it is an ELF program of 64 bits, little endian");
  const sections = sectionsOf(program);
  const namesIndex = program.readUInt16LE(62);
  const names = sections[namesIndex];
  assert(names !== undefined && names.type === SHT_STRTAB, "the sections have names");
  const loaded = sections.filter(({ isLoaded }) => isLoaded);
  const segments = programHeaders(program).map(({ offset, size }) => offset + size);
  const end = Math.max(...segments, ...loaded.map(({ type, offset, size }) => offset + (type === 8 ? 0 : size)));
  const kept = sections.filter((section) => section.type === SHT_NULL || section.isLoaded || section === names);
  const namesAt = align(end, 8);
  const tableAt = align(namesAt + names.size, 8);
  const stripped = Buffer.alloc(tableAt + kept.length * SECTION_BYTES);
  program.copy(stripped, 0, 0, end);
  program.copy(stripped, namesAt, names.offset, names.offset + names.size);
  const places = new Map(kept.map((section, place) => [sections.indexOf(section), place]));
  kept.forEach((section, place) => {
    const header = Buffer.from(section.header);
    if (section === names) header.writeBigUInt64LE(BigInt(namesAt), 24);
    // A section may refer to another one by its place in the table.
    header.writeUInt32LE(places.get(header.readUInt32LE(40)) ?? 0, 40);
    if (section.type === 4 || section.type === 9) header.writeUInt32LE(places.get(header.readUInt32LE(44)) ?? 0, 44);
    header.copy(stripped, tableAt + place * SECTION_BYTES);
  });
  stripped.writeBigUInt64LE(BigInt(tableAt), 40);
  stripped.writeUInt16LE(kept.length, 60);
  stripped.writeUInt16LE(places.get(namesIndex) ?? 0, 62);
  return stripped;
}

function sectionsOf(program: Buffer): Section[] {
  assert.equal(program.readUInt16LE(58), SECTION_BYTES, "section headers have the usual size");
  const tableAt = Number(program.readBigUInt64LE(40));
  return Array.from({ length: program.readUInt16LE(60) }, (_, index) => {
    const header = program.subarray(tableAt + index * SECTION_BYTES, tableAt + (index + 1) * SECTION_BYTES);
    return {
      header,
      type: header.readUInt32LE(4),
      isLoaded: (header.readBigUInt64LE(8) & SHF_ALLOC) !== 0n,
      offset: Number(header.readBigUInt64LE(24)),
      size: Number(header.readBigUInt64LE(32)),
    };
  });
}

function programHeaders(program: Buffer): { readonly offset: number; readonly size: number }[] {
  const tableAt = Number(program.readBigUInt64LE(32));
  assert(tableAt >= HEADER_BYTES, "program headers lie behind the header");
  const bytes = program.readUInt16LE(54);
  return Array.from({ length: program.readUInt16LE(56) }, (_, index) => {
    const at = tableAt + index * bytes;
    return { offset: Number(program.readBigUInt64LE(at + 8)), size: Number(program.readBigUInt64LE(at + 32)) };
  });
}

function align(offset: number, bytes: number): number {
  return Math.ceil(offset / bytes) * bytes;
}
