/** Whether a place distinguishes names by their exact characters, as rules do. */
import { type BigIntStats, lstatSync, opendirSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** LIMIT: names of a folder that are examined; a single one that has a letter or an accent is enough. */
const NAMES_MAX = 64;

/**
 * Another spelling by which the same file is reached, for a name in this place or for the place itself; null if there
 * is none. INVARIANT: I3: where `SECRETS` is `secrets`, what is denied under one name could be reached by the other,
 * and no mask of a sandbox would hold it.
 */
export function otherSpelling(place: string): string | null {
  for (const path of [...pathsIn(place), place]) {
    for (const spelling of spellings(basename(path))) {
      const other = join(dirname(path), spelling);
      if (other !== path && isSame(identity(path), identity(other))) return other;
    }
  }
  return null;
}

function pathsIn(folder: string): string[] {
  const paths: string[] = [];
  try {
    using entries = opendirSync(folder);
    for (let entry = entries.readSync(); entry !== null && paths.length < NAMES_MAX; entry = entries.readSync()) {
      paths.push(join(folder, entry.name));
    }
  } catch {
    // If this is no folder, or cannot be listed, it is examined by its own name only.
  }
  return paths;
}

/** The name in opposite case, and with letters and accents composed or decomposed. */
const spellings = (name: string): string[] => [swapped(name), name.normalize("NFC"), name.normalize("NFD")];

const swapped = (name: string): string =>
  name.replace(/[a-z]|[A-Z]/g, (letter) => (letter < "a" ? letter.toLowerCase() : letter.toUpperCase()));

function identity(path: string): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** A file with several links may have two names that differ only in spelling, so it proves nothing. */
function isSame(one: BigIntStats | undefined, other: BigIntStats | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  return one.dev === other.dev && one.ino === other.ino && (one.isDirectory() || one.nlink === 1n);
}
