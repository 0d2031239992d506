/** The file of a file witness: one checkpoint a line, read from its end. What a crash cut off is not a line. */
import type { FileHandle } from "node:fs/promises";
import { parseHeldLine } from "@femtoclaw/journal";

export interface HeldLine {
  /** Counted from 1 among the lines that were read. */
  readonly line: number;
  readonly note: string;
}

export interface WitnessFileTail {
  readonly held: readonly HeldLine[];
  /** Lines that hold no checkpoint, in words for people. */
  readonly faults: readonly string[];
  /** Whether the file ends within a line. */
  readonly torn: boolean;
  /** Bytes of the whole file when it was read. */
  readonly fileBytes: number;
}

/** The lines within the last `bytesMax` bytes; what is older is covered by what is newer. */
export async function readTail(file: FileHandle, bytesMax: number): Promise<WitnessFileTail> {
  const { size } = await file.stat();
  const start = Math.max(0, size - bytesMax);
  const bytes = await readRange(file, start, size);
  // A line that begins before what was read is not whole.
  const from = start === 0 ? 0 : bytes.indexOf("\n") + 1;
  const lines = bytes.toString("utf8", from).split("\n");
  const torn = lines.pop() !== "";
  const held: HeldLine[] = [];
  const faults: string[] = [];
  for (const [index, text] of lines.entries()) {
    const parsed = parseHeldLine(text);
    if ("note" in parsed) held.push({ line: index + 1, note: parsed.note });
    else faults.push(`line ${index + 1} of what was read of the witness file holds no checkpoint: ${parsed.fault}`);
  }
  if (torn) faults.push("the last line of the witness file was cut off");
  return { held, faults, torn, fileBytes: size };
}

export async function readRange(file: FileHandle, start: number, end: number): Promise<Buffer> {
  const buffer = Buffer.alloc(end - start);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, start + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}
