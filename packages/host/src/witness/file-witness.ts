/**
 * A witness that is an append-only file elsewhere: on another disk, on a mount of another machine, or made append-only
 * by root. Its newest checkpoint is read back, and a new one is appended only if it continues from there.
 */
import { constants, type Stats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { formatHeldLine, HELD_LINE_BYTES_MAX, type SignedCheckpoint, verifyConsistency } from "@femtoclaw/journal";
import { errorText, ownUser, printable, systemErrorCode } from "@femtoclaw/protocol";
import type { CheckpointOffer, Witness, WitnessAnswer } from "@femtoclaw/runtime";
import { SecureDirectory } from "@femtoclaw/runtime/secure-file";
import { readRange, readTail } from "./witness-file.ts";

/** Enough for the newest complete line before one that was cut off. */
const TAIL_BYTES = 2 * HELD_LINE_BYTES_MAX;

export class FileWitness implements Witness {
  readonly kind = "file";
  readonly name: string;
  readonly #path: string;

  constructor(name: string, path: string) {
    this.name = name;
    this.#path = path;
  }

  async take(offer: CheckpointOffer): Promise<WitnessAnswer> {
    using folder = SecureDirectory.open(dirname(this.#path));
    if (folder === undefined) return failure(`the folder of ${printable(this.#path)} does not exist`);
    const file = await openKept(folder, basename(this.#path), offer.knownSize === 0);
    if (file === null) return contradiction(`its file is gone, and held ${offer.knownSize} records`);
    try {
      const refused = refusalOf(await file.stat());
      return refused === null ? await append(file, offer) : failure(`its file ${refused}`);
    } finally {
      await file.close();
    }
  }
}

/** Null if the file should exist but does not. */
async function openKept(folder: SecureDirectory, name: string, create: boolean): Promise<FileHandle | null> {
  const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDWR } = constants;
  const flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK;
  try {
    return await open(folder.at(name), flags);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw new Error(`its file cannot be opened: ${errorText(error)}`);
    if (!create) return null;
  }
  const made = await open(folder.at(name), flags | O_CREAT | O_EXCL, 0o600);
  const handle = await open(folder.at("."), constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  return made;
}

// INVARIANT: I7: the file is checked by its open descriptor: only this user and root can change its content.
function refusalOf(status: Stats): string | null {
  const uid = ownUser();
  if (!status.isFile()) return "is not a regular file";
  if (status.uid !== uid && status.uid !== 0) return `belongs to user ${status.uid}`;
  return (status.mode & 0o022) === 0 ? null : `can be changed by others (mode ${(status.mode & 0o777).toString(8)})`;
}

async function append(file: FileHandle, offer: CheckpointOffer): Promise<WitnessAnswer> {
  const { held, torn, fileBytes } = await readTail(file, TAIL_BYTES);
  const newest = held.at(-1);
  if (newest === undefined && fileBytes > 0) {
    return failure("its file holds no checkpoint and is not empty: move it away, or name another");
  }
  if (newest === undefined && offer.knownSize > 0) {
    return contradiction(`its file is empty, and held ${offer.knownSize} records`);
  }
  if (newest !== undefined) {
    const checkpoint = offer.open(newest.note);
    const problem = await objectionTo(checkpoint, offer);
    if (problem !== null) return contradiction(problem);
    if (typeof checkpoint !== "string" && checkpoint.size === offer.checkpoint.size) {
      return { taken: true, note: offer.note };
    }
  }
  return await write(file, `${torn ? "\n" : ""}${formatHeldLine(offer.note)}`, fileBytes, offer.note);
}

/** INVARIANT: I7: nothing is appended to a checkpoint from which the log does not continue. */
async function objectionTo(held: SignedCheckpoint | string, offer: CheckpointOffer): Promise<string | null> {
  const { size, root } = offer.checkpoint;
  if (typeof held === "string") return `the newest checkpoint in its file is not one of this log: ${held}`;
  if (held.size < offer.knownSize) {
    return `its file holds ${held.size} records, and held ${offer.knownSize} before: it was cut`;
  }
  if (held.size > size) return `its file holds ${held.size} records, and the log ${size}: the log was rolled back`;
  if (verifyConsistency(held.size, size, held.root, root, await offer.prove(held.size))) return null;
  return `the log does not continue the ${held.size} records that its file holds`;
}

async function write(file: FileHandle, text: string, at: number, note: string): Promise<WitnessAnswer> {
  const line = Buffer.from(text);
  const { bytesWritten } = await file.write(line);
  await file.sync();
  if (bytesWritten < line.length) return failure("its file took a part of the line: is the disk full?");
  const { size } = await file.stat();
  // Another host with a copy of this log may have appended in between.
  if (line.equals(await readRange(file, at, size))) return { taken: true, note };
  return contradiction("somebody else appended to its file at the same time");
}

function failure(reason: string): WitnessAnswer {
  return { taken: false, contradicts: false, reason };
}

function contradiction(reason: string): WitnessAnswer {
  return { taken: false, contradicts: true, reason };
}
