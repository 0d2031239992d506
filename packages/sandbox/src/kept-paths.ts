/**
 * What is kept from a child is covered by a mount in its file tree, and the kernel takes that mount away, with no word,
 * where somebody outside removes or replaces what it covers: an editor that saves a file, or git that writes its
 * configuration. What stands there then lies bare to a child that runs. So a child ends when that has happened.
 */
import { lstatSync } from "node:fs";
import { printable, systemErrorCode } from "@femtoclaw/protocol";

/** LIMIT: time between two looks at what is kept from children that run. */
const LOOK_MS = 100;

export interface KeptPaths {
  /** What a child may not see, and what it sees and may not write to; each with the folders on the way to it. */
  readonly unseen: readonly string[];
  readonly unwritten: readonly string[];
}

/** Where what is kept stays kept whatever becomes of it, but for what was not there when it was planned. */
export function onlyMissing({ unseen }: KeptPaths, isMissing: (path: string) => boolean): KeptPaths {
  return { unseen: unseen.filter(isMissing), unwritten: [] };
}

interface Watched {
  readonly found: ReadonlyMap<string, string>;
  onLost(path: string): void;
}

const watched = new Set<Watched>();
let timer: NodeJS.Timeout | null = null;

/** From now on, until what it gives is disposed of; tells once, of the first that is another or gone. */
export function watchKept({ unseen, unwritten }: KeptPaths, onLost: (path: string) => void): Disposable {
  const found = new Map([...unseen, ...unwritten].map((path) => [path, identityOf(path)]));
  const one = { found, onLost };
  if (found.size > 0) {
    watched.add(one);
    timer ??= setInterval(look, LOOK_MS).unref();
  }
  return { [Symbol.dispose]: () => forget(one) };
}

/** For people: why a child was ended. */
export const lostText = (path: string): string =>
  `${printable(path)}, which is kept from programs, was replaced or made while it ran, where nothing keeps it from it`;

function look(): void {
  const now = new Map<string, string>();
  const current = (path: string): string => {
    const known = now.get(path) ?? identityOf(path);
    now.set(path, known);
    return known;
  };
  for (const one of [...watched]) {
    const lost = [...one.found].find(([path, identity]) => current(path) !== identity);
    if (lost === undefined) continue;
    forget(one);
    one.onLost(lost[0]);
  }
}

function forget(one: Watched): void {
  watched.delete(one);
  if (watched.size > 0 || timer === null) return;
  clearInterval(timer);
  timer = null;
}

/** What is the same as long as the very file or folder stands there: its number alone is soon given to another one. */
function identityOf(path: string): string {
  try {
    const { dev, ino, birthtimeNs } = lstatSync(path, { bigint: true });
    return `${dev}:${ino}:${birthtimeNs}`;
  } catch (error) {
    return systemErrorCode(error) ?? "unknown";
  }
}
