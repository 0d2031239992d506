/**
 * The folders that a library lies in. They appear together with a note that lists them, and disappear together with it.
 * A process that is killed in between therefore leaves no folder that nobody would remove.
 */
import { existsSync, lstatSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { systemErrorCode } from "@femtoclaw/protocol";
import { besideName, isBeside, makeFolder, syncFolder } from "./durable-files.ts";
import { removeFiles, undoCutOff } from "./install.ts";
import { addFolder, installedBy, type Step } from "./install-plan.ts";
import { assertKept, type Layout } from "./layout.ts";
import { Library } from "./library.ts";
import type { InstalledFile } from "./receipt.ts";

/**
 * LIMIT: attempts of a process that others disturb. Each other process that installs or removes something there
 * disturbs it once.
 */
const TRIES_MAX = 16;

/** The folders that have to be made before the library can be locked; none if the library exists. */
export function groundOf({ library }: Layout): readonly Step[] {
  assertKept(library);
  const steps: Step[] = [];
  addFolder(steps, { path: library, mode: 0o755, owner: null });
  return steps;
}

/** INVARIANT: a folder that is made here is listed in a note inside it from the moment at which it gets its name. */
export function makeGround(layout: Layout): void {
  for (let tries = 1; ; tries += 1) {
    const steps = groundOf(layout);
    const [first] = steps;
    if (first === undefined) return;
    const hidden = besideName(first.path);
    try {
      for (const { path } of steps) makeFolder(join(hidden, path.slice(first.path.length)), 0o755);
      const library = new Library(join(hidden, layout.library.slice(first.path.length)));
      library.begin({ doing: "install", files: steps.map(installedBy) });
      renameSync(hidden, first.path);
      syncFolder(dirname(first.path));
      return;
    } catch (error) {
      rmSync(hidden, { recursive: true, force: true });
      // Another process was first, or took these folders for something that was left behind.
      const isDisturbed = ["ENOENT", "ENOTEMPTY", "EEXIST"].includes(systemErrorCode(error) ?? "");
      if (!isDisturbed || tries === TRIES_MAX) throw error;
    }
  }
}

/**
 * Removes the library with everything in it, and those folders that were made for it and hold nothing else. The library
 * leaves its place in one step together with its note, which from then on lists only empty folders.
 */
export function removeGround(library: Library, files: readonly InstalledFile[]): ReturnType<typeof removeFiles> {
  const folders = files.filter(holding(library));
  const [first] = folders;
  if (first === undefined || folders.every(({ path }) => path !== library.path)) {
    library.remove();
    return removeFiles(folders);
  }
  library.begin({ doing: "install", files: folders });
  const hidden = besideName(first.path);
  renameSync(library.path, hidden);
  const { removed, left } = removeFiles(folders);
  rmSync(hidden, { recursive: true, force: true });
  return { removed: [library.path, ...removed], left };
}

/**
 * Removes what a process left that was killed before its library had its name, or after the library had lost it: hidden
 * folders beside those on the way to the library. Returns the removed folders that had their names already.
 */
export function sweepGround(library: Library): readonly string[] {
  const removed: string[] = [];
  for (let at = library.path; dirname(at) !== at; at = dirname(at)) {
    for (const hidden of hiddenBeside(at)) {
      // A process that still works on the folder then finds it gone as a whole, and can never give half of it its name.
      const own = besideName(at);
      if (!moved(hidden, own)) continue;
      removed.push(...removeFiles(notedIn(own).filter(holding(library))).removed);
      rmSync(own, { recursive: true, force: true });
    }
  }
  return removed;
}

/** Removes what a failed installation has made, if nothing is in force. */
export function abandonInstallation(library: Library): void {
  const files = undoCutOff(library);
  if (library.inForce() === null) removeGround(library, files);
}

const holding =
  (library: Library) =>
  ({ kind, path }: InstalledFile): boolean =>
    kind === "folder" && `${library.path}/`.startsWith(`${path}/`);

/**
 * INVARIANT: I8: folders of other users are left out, because in a folder such as /tmp anybody can give a folder such a
 * name.
 */
function hiddenBeside(path: string): string[] {
  const folder = dirname(path);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => isBeside(name, basename(path)))
    .map((name) => join(folder, name))
    .filter((hidden) => {
      const status = lstatSync(hidden, { throwIfNoEntry: false });
      return status?.isDirectory() === true && status.uid === process.getuid?.();
    });
}

/** False if `from` is gone. */
function moved(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return false;
    throw error;
  }
}

/**
 * Nothing where there is no note, because the process was killed before it wrote one. A damaged note is thrown: no crash
 * leaves one, and what it listed would be left for ever.
 */
function notedIn(hidden: string): readonly InstalledFile[] {
  const pending = new Library(hidden).pending();
  return pending?.doing === "install" ? pending.files : [];
}
