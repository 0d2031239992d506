/** SHA-256 of program files, remembered as long as nothing about the file changes. */
import { createHash } from "node:crypto";
import { constants, read } from "node:fs";
import { open } from "node:fs/promises";
import { promisify } from "node:util";
import { namesByDescriptor } from "@femtoclaw/protocol";
import type { FileVersion } from "./bound-arguments.ts";

/** LIMIT: programs remembered; far more than a policy names. */
const PROGRAMS_MAX = 512;
const CHUNK_BYTES = 1_048_576;
/**
 * Two changes within one tick of the file system's clock look alike, so a file that changed just now is hashed each
 * time.
 */
const SETTLED_NS = 2_000_000_000n;

export class ProgramDigests {
  readonly #known = new Map<string, Promise<string>>();

  /** The digest of the file that a descriptor holds; `version` was read from the same descriptor before. */
  async of(descriptor: number, version: FileVersion): Promise<string> {
    if (BigInt(Date.now()) * 1_000_000n - version.changedNs < SETTLED_NS) return await digestOf(descriptor);
    const key = Object.values(version).join(":");
    const known = this.#known.get(key);
    if (known !== undefined) return await known;
    const digest = digestOf(descriptor);
    this.#known.set(key, digest);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= PROGRAMS_MAX) break;
      this.#known.delete(oldest);
    }
    try {
      return await digest;
    } catch (error) {
      this.#known.delete(key);
      throw error;
    }
  }
}

/** SHA-256 in hex of a descriptor's file, or of its first bytes only, because a file may grow while it is read. */
export async function digestOf(descriptor: number, bytesMax = Number.POSITIVE_INFINITY): Promise<string> {
  // On this system descriptors can be read, because none is for naming only.
  if (!namesByDescriptor(process.platform)) {
    return await digestBy(bytesMax, (chunk, bytes, at) => promisify(read)(descriptor, chunk, 0, bytes, at));
  }
  // INVARIANT: I9: O_NONBLOCK, because opening a leased file would block one of few threads for 45 seconds.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
  await using file = await open(`/proc/self/fd/${descriptor}`, flags);
  return await digestBy(bytesMax, (chunk, bytes, at) => file.read(chunk, 0, bytes, at));
}

type ReadAt = (chunk: Buffer, bytes: number, at: number) => Promise<{ readonly bytesRead: number }>;

async function digestBy(bytesMax: number, readAt: ReadAt): Promise<string> {
  const digest = createHash("sha256");
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  for (let at = 0; at < bytesMax; ) {
    const { bytesRead } = await readAt(chunk, Math.min(CHUNK_BYTES, bytesMax - at), at);
    if (bytesRead === 0) break;
    digest.update(chunk.subarray(0, bytesRead));
    at += bytesRead;
  }
  return digest.digest("hex");
}
