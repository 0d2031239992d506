/**
 * Reads files that decide what is allowed. Owner, mode and type are checked on the open descriptor, and the bytes are
 * read from that same descriptor, so that what was checked is what is read.
 */
import {
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  type Stats,
} from "node:fs";
import { dirname, join } from "node:path";
import { FemtoError, namesByDescriptor, ownUser, printable, systemErrorCode } from "@femtoclaw/protocol";

/** A folder that only its owner or root can change. It is held open, so that no other folder can take its place. */
export class SecureDirectory implements Disposable {
  /** Canonical path. */
  readonly path: string;
  readonly #descriptor: number;
  readonly #platform: NodeJS.Platform;

  private constructor(path: string, descriptor: number, platform: NodeJS.Platform) {
    this.path = path;
    this.#descriptor = descriptor;
    this.#platform = platform;
  }

  /** Undefined if there is no such folder. Links on the way to the folder are followed before it is checked. */
  static open(path: string, platform: NodeJS.Platform = process.platform): SecureDirectory | undefined {
    const canonical = canonicalFolder(path);
    if (canonical === undefined) return undefined;
    // INVARIANT: if the folder can be reached only by its name, each folder above it is checked like the folder itself.
    if (!namesByDescriptor(platform)) assertKeptInPlace(canonical);
    return SecureDirectory.#openAt(canonical, canonical, platform);
  }

  static #openAt(location: string, path: string, platform: NodeJS.Platform): SecureDirectory | undefined {
    const descriptor = openKept(location, path, constants.O_DIRECTORY);
    if (descriptor === undefined) return undefined;
    try {
      checkOwner(fstatSync(descriptor), path, "folder");
      return new SecureDirectory(path, descriptor, platform);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  /**
   * A path to the entry that starts at the open folder. Where the system offers no such path, it was checked that
   * nobody else can move the folder.
   */
  at(name: string): string {
    return join(namesByDescriptor(this.#platform) ? `/proc/self/fd/${this.#descriptor}` : this.path, name);
  }

  entries(): Dirent[] {
    return readdirSync(this.at(""), { withFileTypes: true });
  }

  /** A folder in this one; undefined if there is none. A symbolic link is refused. */
  folder(name: string): SecureDirectory | undefined {
    return SecureDirectory.#openAt(this.at(name), join(this.path, name), this.#platform);
  }

  /** A file's bytes; undefined if there is none. A symbolic link is refused. */
  read(name: string, bytesMax: number): Buffer | undefined {
    const path = join(this.path, name);
    // Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
    const descriptor = openKept(this.at(name), path, constants.O_NONBLOCK);
    if (descriptor === undefined) return undefined;
    try {
      const stats = fstatSync(descriptor);
      if (!stats.isFile()) throw new FemtoError("FEMTO_CONFIG_INVALID", `${printable(path)} is not a regular file`);
      checkOwner(stats, path, "file");
      return readCapped(descriptor, bytesMax, path);
    } finally {
      closeSync(descriptor);
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }
}

/** Throws if somebody else can change a folder above this one, which need not be there yet. */
export function assertKeptInPlace(path: string): void {
  const parent = dirname(canonicalFolder(path) ?? path);
  const canonical = canonicalFolder(parent);
  if (canonical !== undefined) checkOwner(lstatSync(canonical), canonical, "folder");
  if (parent !== dirname(parent)) assertKeptInPlace(canonical ?? parent);
}

function canonicalFolder(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch (error) {
    // There is no folder below a file either, such as below a HOME that is /dev/null.
    if (["ENOENT", "ENOTDIR"].includes(systemErrorCode(error) ?? "")) return undefined;
    throw cannotOpen(error, path, path);
  }
}

function openKept(location: string, path: string, flags: number): number | undefined {
  try {
    return openSync(location, constants.O_RDONLY | constants.O_NOFOLLOW | flags);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw cannotOpen(error, path, location);
  }
}

function cannotOpen(error: unknown, path: string, location: string): FemtoError {
  const target = linkTarget(location);
  if (target === undefined) {
    const code = systemErrorCode(error) ?? "unknown cause";
    return new FemtoError("FEMTO_CONFIG_INVALID", `${printable(path)} cannot be opened (${code})`, { cause: error });
  }
  return new FemtoError("FEMTO_CONFIG_INVALID", `${printable(path)} is a symbolic link to ${printable(target)}`, {
    fix: "Put the file itself there. Links are refused, because anyone who changes the link changes what is allowed.",
    cause: error,
  });
}

function linkTarget(location: string): string | undefined {
  try {
    return readlinkSync(location);
  } catch {
    return undefined;
  }
}

/** INVARIANT: files that decide what is allowed can be changed only by the user who runs FemtoClaw and by root. */
function checkOwner(stats: Stats, path: string, kind: "file" | "folder"): void {
  const uid = ownUser(process.getuid);
  const shown = printable(path, 4_096);
  if (stats.uid !== uid && stats.uid !== 0) {
    refuse(`the ${kind} ${shown} belongs to another user (uid ${stats.uid})`, `chown ${uid} ${quoted(shown)}`);
  }
  // In a sticky folder such as /tmp nobody can replace somebody else's file.
  const isSticky = kind === "folder" && (stats.mode & 0o1000) !== 0;
  if ((stats.mode & 0o022) !== 0 && !isSticky) {
    const mode = (stats.mode & 0o7777).toString(8);
    refuse(`the ${kind} ${shown} can be changed by others (mode ${mode})`, `chmod go-w ${quoted(shown)}`);
  }
}

function refuse(finding: string, command: string): never {
  throw new FemtoError("FEMTO_CONFIG_OWNER", `${finding}; run: ${command}`);
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function readCapped(descriptor: number, bytesMax: number, path: string): Buffer {
  const buffer = Buffer.alloc(bytesMax + 1);
  let length = 0;
  for (;;) {
    const bytes = readSync(descriptor, buffer, length, buffer.length - length, null);
    if (bytes === 0) return buffer.subarray(0, length);
    length += bytes;
    if (length > bytesMax) {
      throw new FemtoError("FEMTO_CONFIG_INVALID", `${printable(path)} is larger than ${bytesMax} bytes`);
    }
  }
}
