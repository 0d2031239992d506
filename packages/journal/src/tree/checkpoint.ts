/** A checkpoint: the size and root of a log at one moment, written as the three lines that are signed. */
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { HASH_BYTES } from "./hashing.ts";

/** The head of the tree over the first records of a log. */
export interface Checkpoint {
  /** Name of the log. */
  readonly origin: string;
  /** Number of records that the tree covers. */
  readonly size: number;
  /** Root hash, 32 bytes. */
  readonly root: Uint8Array;
}

export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${encodeBase64(root)}\n`;
}

/** Null for anything but exactly the three lines; extension lines are refused. */
export function parseCheckpoint(text: string): Checkpoint | null {
  const match = /^([^\n]+)\n(0|[1-9][0-9]*)\n(\S+)\n$/.exec(text);
  if (match === null) return null;
  const [, origin = "", decimal = "", encoded = ""] = match;
  const size = Number(decimal);
  const root = decodeBase64(encoded);
  if (!Number.isSafeInteger(size) || root?.byteLength !== HASH_BYTES) return null;
  return { origin, size, root };
}
