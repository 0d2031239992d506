/**
 * Goes through everything below a folder that policy lets the call reach. Each name is opened through the folder
 * that holds it, is what the kernel says it is, and is decided on before anybody hears of it; no link is followed.
 */
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readlinkSync } from "node:fs";
import { opendir } from "node:fs/promises";
import { FemtoError, LIMITS, printable, systemErrorCode } from "@femtoclaw/protocol";
import type { CapabilityCall } from "../capability.ts";
import type { HeldFolder } from "../facts/bound-arguments.ts";
import { NAMES_PER_TURN, nextTurn } from "./pace.ts";

/** Names a thing without opening it. */
const NAME_ONLY = 0o10000000;

export interface WalkEntry {
  /** From the folder where the walk began; what is not UTF-8 stands there as replacement characters. */
  readonly name: string;
  readonly path: string;
  readonly type: "file" | "directory" | "link" | "other";
  readonly found: BigIntStats;
  /** For as long as the entry is looked at; null for a name that is not UTF-8, which no rule could speak of. */
  readonly descriptor: number | null;
}

type Walker = Pick<CapabilityCall, "mayReach" | "signal" | "turn">;

/** How many names are still looked at, and whether any were left out for it, or because the host may not look at them. */
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

  /** False when there is no room for one name more. */
  take(): boolean {
    if (this.#left === 0) this.isCut = true;
    else this.#left -= 1;
    return !this.isCut;
  }
}

/** In the order of names, each folder before what it holds. It stays on the file system where it begins. */
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
  const names = await namesIn(folder.descriptor, bounds.left, call.signal).catch(noneWhereRefused(bounds));
  for (const name of names) {
    if (!bounds.take()) return;
    // Also where each folder holds little.
    if (bounds.left % NAMES_PER_TURN === 0) await nextTurn(call);
    call.signal.throwIfAborted();
    using held = new DisposableStack();
    const entry = enter(folder, prefix, name, held, bounds);
    if (entry === null) continue;
    if (isTooDeep(entry.path)) {
      bounds.isCut = true;
      continue;
    }
    // INVARIANT: I3: what policy does not permit is not named, and nothing below it is.
    if (!call.mayReach(entry.path, entry.type === "directory" ? "directory" : "file")) continue;
    yield entry;
    const { descriptor, path, found } = entry;
    if (entry.type !== "directory" || descriptor === null || found.dev !== device) continue;
    yield* below({ descriptor, path }, `${entry.name}/`, device, call, bounds);
  }
}

/** A folder that the host itself may not read holds nothing for it. */
function noneWhereRefused(bounds: WalkBounds): (error: unknown) => Buffer[] {
  return (error) => {
    if (systemErrorCode(error) !== "EACCES") throw error;
    bounds.isBlind = true;
    return [];
  };
}

/** Null for what is gone, or stands elsewhere by now. */
function enter(
  { descriptor, path }: HeldFolder,
  prefix: string,
  name: Buffer,
  held: DisposableStack,
  bounds: WalkBounds,
): WalkEntry | null {
  let opened: number;
  try {
    const leaf = Buffer.concat([Buffer.from(`/proc/self/fd/${descriptor}/`), name]);
    opened = held.adopt(openSync(leaf, NAME_ONLY | constants.O_NOFOLLOW), closeSync);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== "ENOENT" && code !== "EACCES") throw error;
    bounds.isBlind ||= code === "EACCES";
    return null;
  }
  const text = name.toString("utf8");
  const isText = Buffer.from(text).equals(name);
  const place = path === "/" ? `/${text}` : `${path}/${text}`;
  // INVARIANT: the path that is decided on is where the thing really is.
  if (isText && readlinkSync(`/proc/self/fd/${opened}`) !== place) return null;
  const found = fstatSync(opened, { bigint: true });
  return { name: `${prefix}${text}`, path: place, type: typeOf(found), found, descriptor: isText ? opened : null };
}

function typeOf(found: BigIntStats): WalkEntry["type"] {
  if (found.isFile()) return "file";
  if (found.isDirectory()) return "directory";
  return found.isSymbolicLink() ? "link" : "other";
}

function isTooDeep(path: string): boolean {
  return Buffer.byteLength(path) >= LIMITS.pathBytes || path.split("/").length - 1 > LIMITS.pathDepth;
}

/** Sorted by code point of their bytes; at most one more than is asked for, so that a cut shows. */
export async function namesIn(descriptor: number, most: number, signal: AbortSignal): Promise<Buffer[]> {
  const names: Buffer[] = [];
  const folder = `/proc/self/fd/${descriptor}`;
  const entries = await opendir(folder, { encoding: "buffer" as BufferEncoding, bufferSize: 256 });
  // The loop closes the folder, however it ends.
  for await (const entry of entries) {
    signal.throwIfAborted();
    // With the encoding "buffer" the name is one, which Node's types do not say.
    names.push(entry.name as unknown as Buffer);
    if (names.length > most) break;
  }
  return names.sort(Buffer.compare);
}
