/** The files of a capability of others as they lie on the disk: all of them, as nobody else can change them, or none. */
import { createHash } from "node:crypto";
import { lstatSync } from "node:fs";
import { posix } from "node:path";
import type { PackageCode } from "@femtoclaw/capabilities";
import { errorText, FemtoError, parseStrictJson, printable, type ToolPin } from "@femtoclaw/protocol";
import { SecureDirectory } from "../configuration/secure-file.ts";

/** LIMIT: files of one package, each of which is a descriptor of every call. */
const FILES_MAX = 64;
/** LIMIT: bytes of all of them; they are kept in memory. */
const BYTES_MAX = 4_194_304;
/** LIMIT: folders below each other. */
const DEPTH_MAX = 8;

export const MANIFEST_NAME = "capability.json";
const PACKAGE_NAME = "package.json";

export interface PackageFiles {
  readonly code: PackageCode;
  /** Every file with its digest, in the order of the names. */
  readonly pins: readonly ToolPin[];
  /** Of each file and folder, what changes when it does. */
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
 * Throws the same. INVARIANT: what is pinned is every byte that is loaded: the files are read once, through folders that
 * are held open, and it is these bytes that get a digest and run.
 */
export function readPackage(folder: string): PackageFiles {
  const files = new Map<string, Buffer>();
  const versions = new Map<string, string>();
  using root = SecureDirectory.open(folder);
  if (root === undefined) throw invalid(`${printable(folder)} is no folder`);
  // Before each is read, so that a change while it is read is one that is noticed.
  gather(root, "", 0, files, (place) => void versions.set(place, versionOf(place)));
  const pins = [...files].map(([name, bytes]) => ({ name, sha256: createHash("sha256").update(bytes).digest("hex") }));
  pins.sort((left, right) => (left.name < right.name ? -1 : 1));
  return { code: { main: mainOf(files, folder), files }, pins, versions };
}

/** Whether everything on the disk is as it was when it was read. */
export function isUnchanged({ versions }: Pick<PackageFiles, "versions">): boolean {
  try {
    return [...versions].every(([place, version]) => versionOf(place) === version);
  } catch {
    return false;
  }
}

function gather(
  directory: SecureDirectory,
  prefix: string,
  depth: number,
  files: Map<string, Buffer>,
  visit: (place: string) => void,
): void {
  if (depth > DEPTH_MAX) throw invalid(`${printable(directory.path)} is deeper than ${DEPTH_MAX} folders`);
  visit(directory.path);
  for (const entry of directory.entries().sort((left, right) => (left.name < right.name ? -1 : 1))) {
    const name = `${prefix}${entry.name}`;
    if (entry.isDirectory()) {
      using inner = directory.folder(entry.name);
      if (inner === undefined) throw invalid(`${printable(name)} went while it was read`);
      gather(inner, `${name}/`, depth + 1, files, visit);
      continue;
    }
    if (!isPlain(name))
      throw invalid(
        `the file ${printable(name)} has a name of other characters than letters, digits, and \`. _ - @ +\``,
      );
    if (files.size === FILES_MAX) throw invalid(`the package has more than ${FILES_MAX} files`);
    const left = BYTES_MAX - [...files.values()].reduce((sum, { length }) => sum + length, 0);
    visit(posix.join(directory.path, entry.name));
    const bytes = directory.read(entry.name, left);
    if (bytes === undefined) throw invalid(`${printable(name)} went while it was read`);
    files.set(name, Buffer.from(bytes));
  }
}

/** What no reader of a path takes for anything else. */
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

function versionOf(place: string): string {
  const { dev, ino, size, mode, uid, mtimeNs, ctimeNs } = lstatSync(place, { bigint: true });
  return [dev, ino, size, mode, uid, mtimeNs, ctimeNs].join(":");
}

function invalid(message: string): FemtoError {
  return new FemtoError("FEMTO_CONFIG_INVALID", message);
}

/** In one line, for whoever is told that it cannot be used. */
export const problemOf = (error: unknown): string => printable(errorText(error), 500);
