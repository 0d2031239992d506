/**
 * Tells V8 which functions of the engine a start calls, in the form of the WebAssembly proposal for compilation hints: V8
 * compiles them on other threads, with the module, and would else do so at the first call of each, while the start waits.
 */

const CUSTOM_SECTION = 0;
const CODE_SECTION = 10;
/** Bytes before the first section: what the file is, and its version. */
const PREAMBLE_BYTES = 8;
const SECTION_NAME = "metadata.code.compilation_priority";

/** The module with a section about these functions; their numbers ascend. It computes what it did without. */
export function withStartHints(module: Uint8Array, functions: readonly number[]): Buffer {
  const at = startOfSection(module, CODE_SECTION);
  const name = Buffer.from(SECTION_NAME);
  // Of each: its number, that the hint is about all of it, and a hint of one byte, which is the first turn.
  const hints = functions.flatMap((index) => [...varint(index), 0, 1, 0]);
  const contents = [...varint(name.length), ...name, ...varint(functions.length), ...hints];
  const section = Uint8Array.from([CUSTOM_SECTION, ...varint(contents.length), ...contents]);
  return Buffer.concat([module.subarray(0, at), section, module.subarray(at)]);
}

function startOfSection(module: Uint8Array, wanted: number): number {
  for (let at = PREAMBLE_BYTES; at < module.length; ) {
    if (module[at] === wanted) return at;
    const { value: length, next } = readVarint(module, at + 1);
    at = next + length;
  }
  throw new Error(`the WebAssembly of the engine has no section ${wanted}`);
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
  throw new Error("the WebAssembly of the engine ends within a number");
}
