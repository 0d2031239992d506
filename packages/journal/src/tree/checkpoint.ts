/** A checkpoint: the size and root of a log at one moment, as the three lines that are signed. */
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { HASH_BYTES } from "./hashing.ts";

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
}

export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${encodeBase64(root)}\n`;
}

/** Null for anything but exactly the three lines; extension lines are not taken. */
export function parseCheckpoint(text: string): Checkpoint | null {
  const match = /^([^\n]+)\n(0|[1-9][0-9]*)\n(\S+)\n$/.exec(text);
  if (match === null) return null;
  const [, origin = "", decimal = "", encoded = ""] = match;
  const size = Number(decimal);
  const root = decodeBase64(encoded);
  if (!Number.isSafeInteger(size) || root?.byteLength !== HASH_BYTES) return null;
  return { origin, size, root };
}
