/**
 * From a path in a call to what it leads to. The kernel resolves it, once, into a descriptor; its
 * canonical path is read back from there. No string is ever normalized here and then opened.
 */
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  statfsSync,
} from "node:fs";
import { LIMITS, type PathQuestion, printable, systemErrorCode } from "@femtoclaw/protocol";
import type { BoundPath, HeldFile, HeldFolder } from "./bound-arguments.ts";
import { Refusal, refusalOf } from "./refusal.ts";

/** Names a file without opening it: no pipe is waited for, no device is touched, nothing can be read. */
const NAME_ONLY = 0o10000000;
/** `f_type` of the process file system, through which other processes and their files could be reached. */
const PROCESS_FILE_SYSTEM = 0x9fa0;

export interface ResolvedPath {
  /** More than one where folders on the way are to be created, too; the path itself is the last. */
  readonly questions: readonly PathQuestion[];
  readonly bound: BoundPath;
}

/** For `read` and `list`: the thing itself. Descriptors are given to `held`. */
export function resolveExisting(text: string, workspace: string, held: DisposableStack): ResolvedPath {
  const absolute = absolutePath(text, workspace);
  try {
    const found = holdTarget(absolute, text, held);
    return resolved({ kind: "path", ...found, parent: null, further: [] });
  } catch (error) {
    throw refusalOf(error, text);
  }
}

/** For `create`: the folder and the name in it, and what stands there already. */
export function resolveCreatable(text: string, workspace: string, held: DisposableStack): ResolvedPath {
  const [folder, leaf] = parted(absolutePath(text, workspace), text);
  try {
    return resolveIn(holdFolder(folder, text, held), leaf, [], text, held);
  } catch (error) {
    throw refusalOf(error, text);
  }
}

/** For folders that are created with those on the way to them: the innermost that stands, and the names from there. */
export function resolveCreatableFolders(text: string, workspace: string, held: DisposableStack): ResolvedPath {
  const further: string[] = [];
  let [folder, leaf] = parted(absolutePath(text, workspace), text);
  try {
    for (;;) {
      const found = orMissing(() => holdFolder(folder, text, held));
      if (found !== null) return resolveIn(found, leaf, further, text, held);
      further.unshift(leaf);
      [folder, leaf] = parted(folder, text);
    }
  } catch (error) {
    throw refusalOf(error, text);
  }
}

function parted(absolute: string, text: string): [folder: string, leaf: string] {
  const cut = absolute.lastIndexOf("/");
  const leaf = absolute.slice(cut + 1);
  if (leaf === "" || leaf === "." || leaf === "..")
    throw new Refusal(`${printable(text)} does not end in a file's name`);
  return [absolute.slice(0, cut) || "/", leaf];
}

function resolveIn(
  folder: HeldFolder,
  leaf: string,
  further: readonly string[],
  text: string,
  held: DisposableStack,
): ResolvedPath {
  const parent = { ...folder, leaf };
  const path = `${folder.path === "/" ? "" : folder.path}/${leaf}`;
  requireSize([path, ...further].join("/"), text);
  const found = orMissing(() => holdTarget(`/proc/self/fd/${folder.descriptor}/${leaf}`, text, held));
  if (found === null) {
    const paths = [path, ...further.map((_, index) => [path, ...further.slice(0, index + 1)].join("/"))];
    const questions = paths.map((one) => questionOf(one, "missing"));
    return { questions, bound: { kind: "path", path, type: "missing", target: null, parent, further } };
  }
  if (found.path !== path || further.length > 0) throw new Refusal(`${printable(text)} changed while it was examined`);
  return resolved({ kind: "path", ...found, parent, further });
}

/** A folder, through links too; its canonical path tells where it really is. */
export function resolveFolder(text: string, workspace: string, held: DisposableStack): HeldFolder {
  try {
    return holdFolder(absolutePath(text, workspace), text, held);
  } catch (error) {
    throw refusalOf(error, text);
  }
}

/**
 * INVARIANT: the path is where the descriptor's file really is. The kernel gives the name; looking the
 * name up must lead back to the same file, which it does not for one that was deleted or moved, or
 * that lies in the file tree of another namespace, where the same name means something else.
 */
export function canonicalPathOf(descriptor: number, found: BigIntStats, text: string): string {
  const name = readlinkSync(`/proc/self/fd/${descriptor}`, { encoding: "buffer" });
  const path = decodeName(name, text);
  requireSize(path, text);
  const named = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (named === undefined || named.dev !== found.dev || named.ino !== found.ino) {
    throw new Refusal(`${printable(text)} changed while it was examined, or is not reachable by its own name`);
  }
  if (statfsSync(`/proc/self/fd/${descriptor}`).type === PROCESS_FILE_SYSTEM) {
    throw new Refusal(`${printable(text)} lies in the process file system`);
  }
  return path;
}

/** Opens for naming only, and closes with `held`. */
export function holdOpen(path: string, flags: number, held: DisposableStack): number {
  return held.adopt(openSync(path, NAME_ONLY | flags), closeSync);
}

function absolutePath(text: string, workspace: string): string {
  if (text === "") throw new Refusal("the path is empty");
  const absolute = text.startsWith("/") ? text : `${workspace}/${text}`;
  requireSize(absolute, text);
  return absolute;
}

function requireSize(path: string, text: string): void {
  // The kernel's own limit counts the NUL at the end.
  if (Buffer.byteLength(path) >= LIMITS.pathBytes) {
    throw new Refusal(`${printable(text)} is longer than ${LIMITS.pathBytes - 1} bytes`);
  }
  if (path.split("/").filter(Boolean).length > LIMITS.pathDepth) {
    throw new Refusal(`${printable(text)} is deeper than ${LIMITS.pathDepth} folders`);
  }
}

interface FoundTarget {
  readonly path: string;
  readonly type: "file" | "directory";
  readonly target: HeldFile;
}

function holdTarget(path: string, text: string, held: DisposableStack): FoundTarget {
  const descriptor = holdOpen(path, constants.O_NOFOLLOW, held);
  const found = fstatSync(descriptor, { bigint: true });
  if (found.isSymbolicLink()) throw new Refusal(`${printable(text)} is a symbolic link; name what it leads to`);
  if (!found.isFile() && !found.isDirectory()) {
    throw new Refusal(`${printable(text)} is neither a regular file nor a folder`);
  }
  return {
    path: canonicalPathOf(descriptor, found, text),
    type: found.isFile() ? "file" : "directory",
    target: { descriptor, device: found.dev, inode: found.ino },
  };
}

function orMissing<T>(hold: () => T): T | null {
  try {
    return hold();
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return null;
    throw error;
  }
}

function holdFolder(path: string, text: string, held: DisposableStack): HeldFolder {
  const descriptor = holdOpen(path, constants.O_DIRECTORY, held);
  return { descriptor, path: canonicalPathOf(descriptor, fstatSync(descriptor, { bigint: true }), text) };
}

function decodeName(name: Buffer, text: string): string {
  const path = name.toString("utf8");
  if (!Buffer.from(path).equals(name)) throw new Refusal(`${printable(text)} leads to a name that is not UTF-8`);
  return path;
}

function resolved(bound: BoundPath): ResolvedPath {
  return { questions: [questionOf(bound.path, bound.type)], bound };
}

/** The size of what the call would write is filled in by whoever knows it. */
function questionOf(path: string, type: PathQuestion["type"]): PathQuestion {
  return { kind: "path", path, exists: type !== "missing", type, bytes: 0 };
}
