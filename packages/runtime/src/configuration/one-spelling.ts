/** Whether a place tells names apart by their characters as they are written, which is how rules tell them apart. */
import { type BigIntStats, lstatSync, opendirSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** LIMIT: names of a folder that are looked at; a single one that has a letter, or an accent, tells. */
const NAMES_MAX = 64;

/**
 * The other spelling of a name by which the same thing is reached, there or as the place itself; null where there is none.
 * INVARIANT: I3: where `SECRETS` is `secrets`, what is denied by one of them could be reached by the other, and no mask of a
 * sandbox would hold it.
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
    // What is no folder, or cannot be listed, is looked at by its own name.
  }
  return paths;
}

/** In the other letters, and with letters and their accents put together or apart. */
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

/** A file may have two names that differ in nothing else. */
function isSame(one: BigIntStats | undefined, other: BigIntStats | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  return one.dev === other.dev && one.ino === other.ino && (one.isDirectory() || one.nlink === 1n);
}
