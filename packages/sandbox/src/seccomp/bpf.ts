/** The few instructions of classic BPF that a system call filter is made of, and checks composed of them. */

const LOAD_WORD = 0x20;
export const JUMP_EQUAL = 0x15;
export const JUMP_GREATER_OR_EQUAL = 0x35;
export const JUMP_ANY_BIT = 0x45;
const RETURN = 0x06;

/** Offsets into `struct seccomp_data`; an argument is 64 bits wide and its low word comes first. */
export const OFFSET_NUMBER = 0;
export const OFFSET_ARCHITECTURE = 4;
const offsetOfArgument = (index: number): number => 16 + 8 * index;

export const ALLOW = 0x7fff_0000;
export const KILL_PROCESS = 0x8000_0000;
export const errno = (code: number): number => 0x0005_0000 | code;

export interface Instruction {
  readonly code: number;
  readonly whenTrue: number;
  readonly whenFalse: number;
  readonly operand: number;
}

export const load = (offset: number): Instruction => ({ code: LOAD_WORD, whenTrue: 0, whenFalse: 0, operand: offset });
export const loadArgument = (index: number): Instruction => load(offsetOfArgument(index));
export const give = (verdict: number): Instruction => ({ code: RETURN, whenTrue: 0, whenFalse: 0, operand: verdict });

/** Returns `verdict` from the filter if the loaded word passes the test, and goes on otherwise. */
export function giveWhen(test: number, operand: number, verdict: number): Instruction[] {
  return [{ code: test, whenTrue: 0, whenFalse: 1, operand }, give(verdict)];
}

/** Decides one system call by the low word of an argument; the kernel reads these arguments as 32 bits. */
export function onArgument(
  call: number,
  index: number,
  checks: readonly Instruction[],
  otherwise: number,
): Instruction[] {
  const body = [loadArgument(index), ...checks, give(otherwise)];
  return [{ code: JUMP_EQUAL, whenTrue: 0, whenFalse: body.length, operand: call }, ...body];
}

/** The program as the kernel takes it: eight bytes for each instruction, little endian. */
export function assembled(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, { code, whenTrue, whenFalse, operand }] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(whenTrue, index * 8 + 2);
    bytes.writeUInt8(whenFalse, index * 8 + 3);
    bytes.writeUInt32LE(operand >>> 0, index * 8 + 4);
  }
  return bytes;
}
