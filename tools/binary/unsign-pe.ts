/**
 * Removes the signature of a Windows program. Once an executable is made of it, its bytes differ, and the signature of
 * Node.js would make it look tampered with.
 */
import assert from "node:assert/strict";

const PE32_PLUS = 0x20b;
/** Offset, from the beginning of the optional header, of the entry that gives the signature's position and size. */
const CERTIFICATES_AT = 112 + 4 * 8;
const CHECKSUM_AT = 64;

export function isPe(program: Buffer): boolean {
  return program.subarray(0, 2).toString("latin1") === "MZ";
}

/** Handles 64 bit. Throws for anything else, or if something lies behind the signature. */
export function unsignPe(program: Buffer): Buffer {
  assert(isPe(program) && program.length >= 0x40, "it is a program of Windows");
  const header = program.readUInt32LE(0x3c);
  const optional = header + 24;
  assert(program.length >= optional + CERTIFICATES_AT + 8, "its headers are in it");
  assert.equal(program.toString("latin1", header, header + 4), "PE\0\0", "it is a PE program");
  assert.equal(program.readUInt16LE(optional), PE32_PLUS, "it is one of 64 bits");
  const at = program.readUInt32LE(optional + CERTIFICATES_AT);
  const bytes = program.readUInt32LE(optional + CERTIFICATES_AT + 4);
  if (at === 0) return program;
  assert.equal(at + bytes, program.length, "the signature stands at its end");
  const unsigned = Buffer.from(program.subarray(0, at));
  unsigned.writeBigUInt64LE(0n, optional + CERTIFICATES_AT);
  unsigned.writeUInt32LE(0, optional + CHECKSUM_AT);
  return unsigned;
}
