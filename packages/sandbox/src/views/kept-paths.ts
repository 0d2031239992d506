/**
 * A path that is kept from a child is covered by a mount in the child's file tree. If somebody outside removes or
 * replaces the file underneath, as an editor does that saves it, or git that writes its configuration, the kernel
 * silently removes the mount, and a running child sees what stands there. So the child is killed when that happens.
 */
import { lstatSync } from "node:fs";
import { printable, systemErrorCode } from "@femtoclaw/protocol";

/** LIMIT: milliseconds between two looks at the kept paths of running children. */
const LOOK_MS = 100;

export interface KeptPaths {
  /** Paths that a child may not see, and paths that it may see but not write; both include the folders above them. */
  readonly unseen: readonly string[];
  readonly unwritten: readonly string[];
}

/** For a rung that keeps paths hidden whatever becomes of them, except those that did not exist when it was planned. */
export function onlyMissing({ unseen }: KeptPaths, isMissing: (path: string) => boolean): KeptPaths {
  return { unseen: unseen.filter(isMissing), unwritten: [] };
}

const watches = new Set<KeptWatch>();
let timer: NodeJS.Timeout | null = null;

/** Watches the paths kept from one child until disposed of, and reports the first that was changed or removed, once. */
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

/** Why a child was killed, for people to read. */
export const lostText = (path: string): string =>
  `${printable(path)}, which is protected from programs, was replaced or created by somebody else while the program ran; the program was ended, because it could have reached the new file`;

/** What to do about that; `again` says how whatever ended is had once more. */
export const lostFix = (again: string): string =>
  `${again}. A new sandbox covers what is there now. To avoid this, write such files in place while programs run, or keep them in a folder that is denied as a whole.`;

/** Examines each path once, however many children it is kept from. */
function lookAtAll(): void {
  const now = new Map<string, string>();
  const current = (path: string): string => {
    const known = now.get(path) ?? identityOf(path);
    now.set(path, known);
    return known;
  };
  for (const watch of [...watches]) watch.look(current);
}

/** Identifies the very file or folder at a path. The inode number alone would not do, because it is soon reused. */
function identityOf(path: string): string {
  try {
    const { dev, ino, birthtimeNs } = lstatSync(path, { bigint: true });
    return `${dev}:${ino}:${birthtimeNs}`;
  } catch (error) {
    const code = systemErrorCode(error) ?? "unknown";
    return code === "ENOENT" || code === "ENOTDIR" ? "missing" : code;
  }
}
