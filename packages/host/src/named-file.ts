/** Reads files that are named on the command line, whatever they are. */
import { closeSync, openSync, readSync } from "node:fs";

/** The bytes of a file; null if it has more than this. A device without an end has no size, and is not read to its end either. */
export function bytesWithin(path: string, bytesMax: number): Buffer | null {
  const held = Buffer.alloc(bytesMax + 1);
  let bytes = 0;
  const descriptor = openSync(path, "r");
  try {
    for (let read = -1; read !== 0 && bytes < held.length; bytes += read) {
      read = readSync(descriptor, held, bytes, held.length - bytes, null);
    }
  } finally {
    closeSync(descriptor);
  }
  return bytes > bytesMax ? null : held.subarray(0, bytes);
}
