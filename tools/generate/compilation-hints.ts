/**
 * Makes a section of WebAssembly, in the form of the proposal for compilation hints, that names functions. V8 compiles
 * those together with the module, on other threads; otherwise it compiles each at its first call, while the caller
 * waits.
 */

const CUSTOM_SECTION = 0;
const CODE_SECTION = 10;
/** Bytes before the first section: magic number and version. */
const PREAMBLE_BYTES = 8;
const SECTION_NAME = "metadata.code.compilation_priority";

/** The section, and the offset in the module at which it has to be inserted. The functions' indices must ascend. */
export function compilationHints(module: Uint8Array, functions: readonly number[]): { at: number; section: Buffer } {
  const name = Buffer.from(SECTION_NAME);
  // For each function: its index, offset 0 for the function as a whole, and a hint of one byte: compile it first.
  const hints = functions.flatMap((index) => [...varint(index), 0, 1, 0]);
  const contents = [...varint(name.length), ...name, ...varint(functions.length), ...hints];
  const section = Buffer.from([CUSTOM_SECTION, ...varint(contents.length), ...contents]);
  return { at: startOfCode(module), section };
}

function startOfCode(module: Uint8Array): number {
  for (let at = PREAMBLE_BYTES; at < module.length; ) {
    if (module[at] === CODE_SECTION) return at;
    const { value: length, next } = readVarint(module, at + 1);
    at = next + length;
  }
  throw new Error("this WebAssembly has no code");
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

function readVarint(bytes: Uint8Array, at: number): { readonly value: number; readonly next: number } {
  let value = 0;
  for (let shift = 0, next = at; next < bytes.length; shift += 7, next += 1) {
    const byte = bytes[next] as number;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return { value: value >>> 0, next: next + 1 };
  }
  throw new Error("this WebAssembly ends within a number");
}
