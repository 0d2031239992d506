/** Puts the bytes of an executable into a file that can be run. */
import { closeSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";

/** What the executable is written in. */
const PIECE_BYTES = 65_536;

/**
 * As downloads and package managers write. Linux would keep what one large write brings in pages of 2 MB, and count all of
 * such a page as memory of each host that reads a byte of it. The file gets its name once it is whole: a host that runs
 * from the earlier file keeps that one, and nobody finds half an executable.
 */
export function writeExecutable(path: string, bytes: Buffer): void {
  const next = `${path}.next`;
  rmSync(next, { force: true });
  const file = openSync(next, "wx", 0o755);
  try {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) writeFileSync(file, bytes.subarray(at, at + PIECE_BYTES));
  } finally {
    closeSync(file);
  }
  renameSync(next, path);
}
