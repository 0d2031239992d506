/**
 * Files of the system that a child gets as copies instead of by a mount each, because bubblewrap reads the list of all
 * mounts again after each of them. Bubblewrap copies them when it begins, from descriptors, into the file tree that it
 * makes for this child alone and that nobody can write to afterwards.
 */
import { closeSync, constants, fstatSync, openSync, statSync } from "node:fs";
import { FemtoError, isWithin, printable, systemErrorCode } from "@femtoclaw/protocol";
import type { Inspection } from "./inspection.ts";
import type { Mount } from "./mounts.ts";

/** The first descriptor from which bubblewrap copies a file; the others follow it. */
export const COPIED_DESCRIPTOR = 10;

/** LIMIT: bytes of a file that is copied for each child; a larger one is mounted. */
const COPIED_BYTES = 262_144;

/**
 * The same steps, with small files among `files` copied. INVARIANT: I8: bubblewrap writes a copy to the path itself. So
 * no other step shows anything at, above or below that path, and what is written to is a folder of the sandbox's own.
 */
export function withCopies(mounts: readonly Mount[], files: readonly string[], inspection: Inspection): Mount[] {
  let descriptor = COPIED_DESCRIPTOR;
  return mounts.map((mount) => {
    const { kind, path } = mount;
    const isAlone = mounts.every((other) => other === mount || !isRelated(path, other.path));
    if (kind !== "readOnly" || !files.includes(path) || !isAlone) return mount;
    return inspection.isReadable(path, COPIED_BYTES) ? { kind: "copied", path, descriptor: descriptor++ } : mount;
  });
}

const isRelated = (path: string, other: string): boolean => isWithin(path, other) || isWithin(other, path);

/** The files that are copied for a child. They are open here only while the child is started. */
export class CopiedFiles {
  readonly #paths: readonly string[];
  #opened: { readonly path: string; readonly descriptor: number; readonly file: string }[] = [];

  constructor(mounts: readonly Mount[]) {
    this.#paths = mounts.flatMap(({ kind, path }) => (kind === "copied" ? [path] : []));
  }

  /**
   * Calls `start` with the descriptors in the order in which the child gets them, and closes them afterwards. Throws
   * FEMTO_SANDBOX_UNAVAILABLE if a file cannot be read any more, and errors of the system as they are.
   */
  whileOpen<T>(start: (descriptors: readonly number[]) => T): T {
    this.#opened = [];
    try {
      for (const path of this.#paths) this.#open(path);
      return start(this.#opened.map(({ descriptor }) => descriptor));
    } finally {
      for (const { descriptor } of this.#opened) closeSync(descriptor);
    }
  }

  /**
   * Whether the paths still name the files that were opened. What is written to such a file before bubblewrap begins is
   * copied anyway.
   */
  areCurrent(): boolean {
    return this.#opened.every(({ path, file }) => {
      const found = statSync(path, { throwIfNoEntry: false });
      return found !== undefined && nameOf(found) === file;
    });
  }

  #open(path: string): void {
    try {
      // A pipe that somebody put there must not hold this thread up.
      const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
      const state = fstatSync(descriptor);
      this.#opened.push({ path, descriptor, file: nameOf(state) });
      if (!state.isFile()) throw changed(path, "it is no file");
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === "ENOENT" || code === "EACCES") throw changed(path, code);
      throw error;
    }
  }
}

const nameOf = ({ dev, ino }: { readonly dev: number; readonly ino: number }): string => `${dev} ${ino}`;

function changed(path: string, why: string): FemtoError {
  const reason = `${printable(path)}, which every program sees, cannot be read any more (${why})`;
  return new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", reason, {
    fix: "Make it readable again, or let the host read its configuration again, which leaves out what is missing.",
  });
}
