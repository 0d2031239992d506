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

const watches = new Set<KeptWatch>();
let timer: NodeJS.Timeout | null = null;

/** Looks at what is kept from one child until it is disposed of, and tells once of the first that is another or gone. */
export class KeptWatch implements Disposable {
  readonly #found: ReadonlyMap<string, string>;
  readonly #onLost: (path: string) => void;

  constructor({ unseen, unwritten }: KeptPaths, onLost: (path: string) => void) {
    this.#found = new Map([...unseen, ...unwritten].map((path) => [path, identityOf(path)]));
    this.#onLost = onLost;
    if (this.#found.size === 0) return;
    watches.add(this);
    timer ??= setInterval(lookAtAll, LOOK_MS).unref();
  }

  look(identity = identityOf): void {
    if (!watches.has(this)) return;
    for (const [path, found] of this.#found) {
      if (identity(path) === found) continue;
      this[Symbol.dispose]();
      this.#onLost(path);
      return;
    }
  }

  [Symbol.dispose](): void {
    watches.delete(this);
    if (watches.size > 0 || timer === null) return;
    clearInterval(timer);
    timer = null;
  }
}

/** For people: why a child was ended. */
export const lostText = (path: string): string =>
  `${printable(path)}, which is kept from programs, was replaced or made from outside while it ran; it was ended, because nothing keeps what stands there now from it`;

/** What to do about that; `again` says how whatever ended is had once more. */
export const lostFix = (again: string): string =>
  `${again}; a new sandbox covers what stands there now. Whoever saves such a file while programs run ends none by writing to it in place, or by keeping it in a folder that is denied as a whole.`;

/** Each path once, however many children it is kept from. */
function lookAtAll(): void {
  const now = new Map<string, string>();
  const current = (path: string): string => {
    const known = now.get(path) ?? identityOf(path);
    now.set(path, known);
    return known;
  };
  for (const watch of [...watches]) watch.look(current);
}

/** What is the same as long as the very file or folder stands there: its number alone is soon given to another one. */
function identityOf(path: string): string {
  try {
    const { dev, ino, birthtimeNs } = lstatSync(path, { bigint: true });
    return `${dev}:${ino}:${birthtimeNs}`;
  } catch (error) {
    const code = systemErrorCode(error) ?? "unknown";
    return code === "ENOENT" || code === "ENOTDIR" ? "missing" : code;
  }
}
