/**
 * The file of a file witness: one checkpoint per line, read from its end. The rest of a line that a crash cut off does
 * not count.
 */
import type { FileHandle } from "node:fs/promises";
import { parseHeldLine } from "@femtoclaw/journal";

export interface HeldLine {
  /** Number of the line, from 1, among those that were read. */
  readonly line: number;
  readonly note: string;
}

export interface WitnessFileTail {
  readonly held: readonly HeldLine[];
  /** Lines without a valid checkpoint, in words for people. */
  readonly faults: readonly string[];
  /** Whether the file ends within a line. */
  readonly torn: boolean;
  /** Bytes of the whole file when it was read. */
  readonly fileBytes: number;
}

/** The lines within the last `bytesMax` bytes. Newer checkpoints cover the older ones. */
export async function readTail(file: FileHandle, bytesMax: number): Promise<WitnessFileTail> {
  const { size } = await file.stat();
  const start = Math.max(0, size - bytesMax);
  const bytes = await readRange(file, start, size);
  // The first line is skipped if the range begins within it.
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
