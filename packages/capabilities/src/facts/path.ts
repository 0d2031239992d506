/**
 * Resolves a path of a call. The kernel does it, once, into a descriptor, and the canonical path is read back from
 * that. No string is ever normalized here and then opened. Only Linux can name an entry of a folder that is held open,
 * so no call on files is accepted on another system.
 */
import { type BigIntStats, closeSync, constants, fstatSync, lstatSync, statfsSync } from "node:fs";
import { LIMITS, namesByDescriptor, type PathQuestion, printable, systemErrorCode } from "@femtoclaw/protocol";
import type { BoundPath, HeldFile, HeldFolder } from "./bound-arguments.ts";
import { type NamedDescriptor, openToName } from "./named-descriptor.ts";
import { Refusal, refusalOf } from "./refusal.ts";

/** `f_type` of the proc file system, through which other processes and their files could be reached. */
const PROCESS_FILE_SYSTEM = 0x9fa0;

export interface ResolvedPath {
  /** More than one if folders on the way are to be created too; the path itself is the last. */
  readonly questions: readonly PathQuestion[];
  readonly bound: BoundPath;
}

/** For `read` and `list`: the path itself. Descriptors are given to `held`. */
export function resolveExisting(text: string, workspace: string, held: DisposableStack): ResolvedPath {
  const absolute = absolutePath(text, workspace);
  try {
    const found = holdTarget(absolute, text, held);
    return resolved({ kind: "path", ...found, parent: null, further: [] });
  } catch (error) {
    throw refusalOf(error, text);
  }
}

/** For `create`: the folder, the name in it, and what stands there already. */
export function resolveCreatable(text: string, workspace: string, held: DisposableStack): ResolvedPath {
  const [folder, leaf] = parted(absolutePath(text, workspace), text);
  try {
    return resolveIn(holdFolder(folder, text, held), leaf, [], text, held);
  } catch (error) {
    throw refusalOf(error, text);
  }
}

/** For a folder that is created with its parents: the innermost existing one, and the names from there. */
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

/**
 * Refuses all paths of a call on a system where another file could take the decided one's place before it is reached.
 */
export function requireHeldPaths(platform: NodeJS.Platform): void {
  if (namesByDescriptor(platform)) return;
  throw new Refusal(
    `calls on files are taken on Linux alone: ${platform} names no file by the descriptor of its folder`,
  );
}

/** Resolves a folder, through links too; its canonical path tells where it really is. */
export function resolveFolder(
  text: string,
  workspace: string,
  held: DisposableStack,
  platform: NodeJS.Platform,
): HeldFolder {
  try {
    return holdFolder(absolutePath(text, workspace), text, held, platform);
  } catch (error) {
    throw refusalOf(error, text);
  }
}

/**
 * INVARIANT: the path is where the descriptor's file really is. The kernel gives the name, and looking that name up
 * must lead to the same file. It does not for a file that was deleted or moved, or that lies in the file tree of
 * another namespace, where the same name means something else.
 */
export function canonicalPathOf({ descriptor, name }: NamedDescriptor, found: BigIntStats, text: string): string {
  const path = decodeName(name(), text);
  requireSize(path, text);
  const named = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (named === undefined || named.dev !== found.dev || named.ino !== found.ino) {
    throw new Refusal(`${printable(text)} changed while it was examined, or is not reachable by its own name`);
  }
  if (isInProcessFileSystem(descriptor)) {
    throw new Refusal(`${printable(text)} lies in the process file system`);
  }
  return path;
}

/** Only Linux has such a file system, and only there does a held file have such a name. */
function isInProcessFileSystem(descriptor: number): boolean {
  return process.platform === "linux" && statfsSync(`/proc/self/fd/${descriptor}`).type === PROCESS_FILE_SYSTEM;
}

/** Opens a path for naming only, and closes it with `held`. */
export function holdOpen(
  path: string,
  flags: number,
  held: DisposableStack,
  platform: NodeJS.Platform = "linux",
): NamedDescriptor {
  const named = openToName(path, flags, platform);
  held.defer(() => closeSync(named.descriptor));
  return named;
}

function absolutePath(text: string, workspace: string): string {
  if (text === "") throw new Refusal("the path is empty");
  const absolute = text.startsWith("/") ? text : `${workspace}/${text}`;
  requireSize(absolute, text);
  return absolute;
}

function requireSize(path: string, text: string): void {
  // The kernel's own limit includes the final NUL.
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
  const named = holdOpen(path, constants.O_NOFOLLOW, held);
  const { descriptor } = named;
  const found = fstatSync(descriptor, { bigint: true });
  if (found.isSymbolicLink()) throw new Refusal(`${printable(text)} is a symbolic link; name what it leads to`);
  if (!found.isFile() && !found.isDirectory()) {
    throw new Refusal(`${printable(text)} is neither a regular file nor a folder`);
  }
  return {
    path: canonicalPathOf(named, found, text),
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

function holdFolder(
  path: string,
  text: string,
  held: DisposableStack,
  platform: NodeJS.Platform = "linux",
): HeldFolder {
  const named = holdOpen(path, constants.O_DIRECTORY, held, platform);
  const { descriptor } = named;
  return { descriptor, path: canonicalPathOf(named, fstatSync(descriptor, { bigint: true }), text) };
}

function decodeName(name: Buffer, text: string): string {
  const path = name.toString("utf8");
  if (!Buffer.from(path).equals(name)) throw new Refusal(`${printable(text)} leads to a name that is not UTF-8`);
  return path;
}

function resolved(bound: BoundPath): ResolvedPath {
  return { questions: [questionOf(bound.path, bound.type)], bound };
}

/** The code that knows how much the call would write fills in the size. */
function questionOf(path: string, type: PathQuestion["type"]): PathQuestion {
  return { kind: "path", path, exists: type !== "missing", type, bytes: 0 };
}
