/**
 * The files of a packaged capability as they lie on the disk. Either all of them are read, and nobody else can change
 * them, or none.
 */
import { createHash } from "node:crypto";
import { type BigIntStats, lstatSync } from "node:fs";
import { posix } from "node:path";
import type { PackageCode } from "@femtoclaw/capabilities";
import { errorText, FemtoError, parseStrictJson, printable, type ToolPin } from "@femtoclaw/protocol";
import { SecureDirectory } from "../configuration/secure-file.ts";

/** LIMIT: files of one package; each is a descriptor in every call. */
const FILES_MAX = 64;
/** LIMIT: bytes of all files of a package, which are kept in memory. */
const BYTES_MAX = 4_194_304;
/** LIMIT: nested folders. */
const DEPTH_MAX = 8;

export const MANIFEST_NAME = "capability.json";
const PACKAGE_NAME = "package.json";

export interface PackageFiles {
  readonly code: PackageCode;
  /** Every file with its digest, ordered by name. */
  readonly pins: readonly ToolPin[];
  /** For each file and folder, a value that changes when it does. */
  readonly versions: ReadonlyMap<string, string>;
}

/** The manifest alone. Throws FEMTO_CONFIG_INVALID and FEMTO_CONFIG_OWNER. */
export function readManifestFile(folder: string): Buffer {
  using directory = SecureDirectory.open(folder);
  const bytes = directory?.read(MANIFEST_NAME, BYTES_MAX);
  if (bytes === undefined) throw invalid(`${printable(folder)} holds no file ${MANIFEST_NAME}`);
  return bytes;
}

/**
 * Throws the same errors. INVARIANT: what is pinned is every byte that is loaded: the files are read once, through
 * folders that are held open, and these very bytes are digested and run.
 */
export function readPackage(folder: string): PackageFiles {
  using root = SecureDirectory.open(folder);
  if (root === undefined) throw invalid(`${printable(folder)} is no folder`);
  const gathering = new Gathering();
  gathering.take(root);
  const { files, versions } = gathering;
  const pins = [...files].map(([name, bytes]) => ({ name, sha256: createHash("sha256").update(bytes).digest("hex") }));
  pins.sort((left, right) => (left.name < right.name ? -1 : 1));
  return { code: { main: mainOf(files, folder), files }, pins, versions };
}

/** Whether everything on the disk is as it was when it was read. */
export function isUnchanged({ versions }: Pick<PackageFiles, "versions">): boolean {
  try {
    return [...versions].every(([place, version]) => versionOf(lstatSync(place, { bigint: true })) === version);
  } catch {
    // A file that has vanished counts as changed.
    return false;
  }
}

/**
 * Everything in a folder and its subfolders. Each entry is examined before it is read, so that a later change shows.
 */
class Gathering {
  readonly files = new Map<string, Buffer>();
  readonly versions = new Map<string, string>();
  #leftBytes = BYTES_MAX;

  take(directory: SecureDirectory, prefix = "", depth = 0): void {
    if (depth > DEPTH_MAX) throw invalid(`${printable(directory.path)} is deeper than ${DEPTH_MAX} folders`);
    this.#look(directory.path);
    for (const entry of directory.entries().sort((left, right) => (left.name < right.name ? -1 : 1))) {
      const name = `${prefix}${entry.name}`;
      if (!entry.isDirectory()) {
        this.#read(directory, entry.name, name);
        continue;
      }
      using inner = directory.folder(entry.name);
      if (inner === undefined) throw invalid(`${printable(name)} went while it was read`);
      this.take(inner, `${name}/`, depth + 1);
    }
  }

  #read(directory: SecureDirectory, leaf: string, name: string): void {
    if (!isPlain(name)) {
      throw invalid(`the file ${printable(name)} has other characters in its name than letters, digits, and . _ @ + -`);
    }
    if (this.files.size === FILES_MAX) throw invalid(`the package has more than ${FILES_MAX} files`);
    const { size } = this.#look(posix.join(directory.path, leaf));
    const bytes = directory.read(leaf, Math.min(this.#leftBytes, Number(size)));
    if (bytes === undefined) throw invalid(`${printable(name)} went while it was read`);
    this.#leftBytes -= bytes.length;
    this.files.set(name, bytes);
  }

  #look(place: string): BigIntStats {
    const found = lstatSync(place, { bigint: true });
    this.versions.set(place, versionOf(found));
    return found;
  }
}

/** A name that no reader of paths takes for anything else. */
const isPlain = (name: string): boolean => /^[A-Za-z0-9._@+-]+(?:\/[A-Za-z0-9._@+-]+)*$/.test(name);

function mainOf(files: ReadonlyMap<string, Buffer>, folder: string): string {
  const text = files.get(PACKAGE_NAME);
  const parsed = text === undefined ? undefined : parseStrictJson(text);
  const main = parsed?.ok === true ? (Object(parsed.value) as { readonly main?: unknown }).main : undefined;
  const name = typeof main === "string" ? posix.normalize(main) : "";
  if (!files.has(name))
    throw invalid(`${printable(folder)} holds no ${PACKAGE_NAME} whose \`main\` is one of its files`);
  return name;
}

function versionOf({ dev, ino, size, mode, uid, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mode, uid, mtimeNs, ctimeNs].join(":");
}

function invalid(message: string): FemtoError {
  return new FemtoError("FEMTO_CONFIG_INVALID", message);
}

/** One line for people who are told that the package cannot be used. */
export const problemOf = (error: unknown): string => printable(errorText(error), 500);
