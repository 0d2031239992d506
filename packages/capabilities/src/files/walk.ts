/**
 * Walks through everything below a folder that policy lets the call reach. Each name is opened through its folder, has
 * the type that the kernel reports, and is decided on before anybody learns of it. No link is followed.
 */
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readlinkSync, type StatsBase } from "node:fs";
import { opendir } from "node:fs/promises";
import { constants as system } from "node:os";
import { FemtoError, LIMITS, printable, systemErrorCode } from "@femtoclaw/protocol";
import type { CapabilityCall } from "../capability.ts";
import type { HeldFolder } from "../facts/bound-arguments.ts";
import { NAMES_PER_TURN, nextTurn } from "./pace.ts";

/** O_PATH: names a file without opening it. */
const NAME_ONLY = 0o10000000;

/** What the host lacks says nothing of the entry at which it is noticed. */
const SHORTAGES: readonly string[] = ["EMFILE", "ENFILE", "ENOMEM"];

export interface WalkEntry {
  /** Relative to the folder where the walk began; bytes that are not UTF-8 are shown as replacement characters. */
  readonly name: string;
  readonly path: string;
  readonly type: "file" | "directory" | "link" | "other";
  readonly found: BigIntStats;
  /** Open while the entry is examined; null for a name that is not UTF-8, since no rule could name it. */
  readonly descriptor: number | null;
}

type Walker = Pick<CapabilityCall, "mayReach" | "signal" | "turn">;

/**
 * Counts the names that may still be examined, and notes whether any were left out because they were too many or too
 * deep (`isCut`), or because the system does not let the host look at them (`isBlind`).
 */
export class WalkBounds {
  #left: number;
  isCut = false;
  isBlind = false;

  constructor(entriesMax: number) {
    this.#left = entriesMax;
  }

  get left(): number {
    return this.#left;
  }

  /** False if the walk may examine no further name. */
  take(): boolean {
    if (this.#left === 0) {
      this.isCut = true;
      return false;
    }
    this.#left -= 1;
    return true;
  }
}

/** Yields entries in the order of their names, each folder before its content. The walk stays on one file system. */
export async function* walk(root: HeldFolder, call: Walker, bounds: WalkBounds): AsyncGenerator<WalkEntry> {
  if (readlinkSync(`/proc/self/fd/${root.descriptor}`) !== root.path) {
    throw new FemtoError("FEMTO_FILE_CHANGED", `${printable(root.path)} was moved after the decision`);
  }
  const { dev } = fstatSync(root.descriptor, { bigint: true });
  yield* below(root, "", dev, call, bounds);
}

async function* below(
  folder: HeldFolder,
  prefix: string,
  device: bigint,
  call: Walker,
  bounds: WalkBounds,
): AsyncGenerator<WalkEntry> {
  const names = await namesIn(folder.descriptor, bounds.left, call.signal).catch((error: unknown) => {
    noteLeftOut(error, bounds);
    return [];
  });
  for (const name of names) {
    if (!bounds.take()) return;
    // Counted over the whole walk, because each single folder may have few names.
    if (bounds.left % NAMES_PER_TURN === 0) await nextTurn(call);
    call.signal.throwIfAborted();
    using held = new DisposableStack();
    const entry = enter(folder, prefix, name, held, bounds);
    if (entry === null) continue;
    if (isTooDeep(entry.path)) {
      bounds.isCut = true;
      continue;
    }
    // INVARIANT: I3: an entry that policy does not permit is not named, and neither is anything below it.
    if (!call.mayReach(entry.path, entry.type === "directory" ? "directory" : "file")) continue;
    yield entry;
    const { descriptor, path, found } = entry;
    if (entry.type !== "directory" || descriptor === null || found.dev !== device) continue;
    yield* below({ descriptor, path }, `${entry.name}/`, device, call, bounds);
  }
}

/**
 * Notes why a name, or what is in a folder, is left out: one broken entry does not keep the call from all others. Throws
 * the error if it has another cause, such as that the call was cancelled.
 */
export function noteLeftOut(error: unknown, bounds: WalkBounds): void {
  const code = systemErrorCode(error) ?? "";
  if (!(code in system.errno) || SHORTAGES.includes(code)) throw error;
  if (code === "ENAMETOOLONG") bounds.isCut = true;
  else if (code !== "ENOENT") bounds.isBlind = true;
}

/** Null if the name is gone or cannot be examined, or no longer stands in this folder. */
function enter(
  folder: HeldFolder,
  prefix: string,
  name: Buffer,
  held: DisposableStack,
  bounds: WalkBounds,
): WalkEntry | null {
  try {
    return examine(folder, prefix, name, held);
  } catch (error) {
    noteLeftOut(error, bounds);
    return null;
  }
}

function examine(
  { descriptor, path }: HeldFolder,
  prefix: string,
  name: Buffer,
  held: DisposableStack,
): WalkEntry | null {
  const leaf = Buffer.concat([Buffer.from(`/proc/self/fd/${descriptor}/`), name]);
  const opened = held.adopt(openSync(leaf, NAME_ONLY | constants.O_NOFOLLOW), closeSync);
  const text = name.toString("utf8");
  const isText = Buffer.from(text).equals(name);
  const place = path === "/" ? `/${text}` : `${path}/${text}`;
  // INVARIANT: the path that is decided on is where the file really is.
  if (isText && readlinkSync(`/proc/self/fd/${opened}`) !== place) return null;
  const found = fstatSync(opened, { bigint: true });
  return { name: `${prefix}${text}`, path: place, type: typeOf(found), found, descriptor: isText ? opened : null };
}

export function typeOf(found: StatsBase<unknown>): WalkEntry["type"] {
  if (found.isFile()) return "file";
  if (found.isDirectory()) return "directory";
  return found.isSymbolicLink() ? "link" : "other";
}

function isTooDeep(path: string): boolean {
  return Buffer.byteLength(path) >= LIMITS.pathBytes || path.split("/").length - 1 > LIMITS.pathDepth;
}

/** Sorted by bytes. One name more than `most` is returned if there are more, so that the caller notices. */
export async function namesIn(descriptor: number, most: number, signal: AbortSignal): Promise<Buffer[]> {
  const names: Buffer[] = [];
  const folder = `/proc/self/fd/${descriptor}`;
  const entries = await opendir(folder, { encoding: "buffer" as BufferEncoding, bufferSize: 256 });
  // The loop closes the folder however it ends.
  for await (const entry of entries) {
    signal.throwIfAborted();
    // With the encoding "buffer" the name is a Buffer, which Node's types do not say.
    names.push(entry.name as unknown as Buffer);
    if (names.length > most) break;
  }
  return names.sort(Buffer.compare);
}
