/**
 * From the view of a child to rules of Landlock. A rule holds for all that lies below its path and takes nothing away
 * again, so where something below is to have less, the folder gives what all below it may have, and each entry beside
 * what has less gets a rule of its own. Pure but for the listing of folders.
 */
import { FemtoError, printable } from "@femtoclaw/protocol";
import { isWithin, type Mount, visibilityOf } from "../mounts.ts";

/** Rights in the numbers of the kernel. */
export const RIGHT = {
  execute: 1 << 0,
  writeFile: 1 << 1,
  readFile: 1 << 2,
  readDirectory: 1 << 3,
  removeDirectory: 1 << 4,
  removeFile: 1 << 5,
  makeDirectory: 1 << 7,
  makeFile: 1 << 8,
  makePipe: 1 << 10,
  makeLink: 1 << 12,
  refer: 1 << 13,
  truncate: 1 << 14,
} as const;

const READ = RIGHT.readFile | RIGHT.readDirectory;
/** Programs lie where no child writes, so what a child wrote is executed by no name of its own. */
const READ_ONLY = READ | RIGHT.execute;
const READ_WRITE =
  READ |
  (RIGHT.writeFile | RIGHT.truncate | RIGHT.removeDirectory | RIGHT.removeFile) |
  (RIGHT.makeDirectory | RIGHT.makeFile | RIGHT.makePipe | RIGHT.makeLink | RIGHT.refer);

/** Devices that do nothing; all others stay out of reach. */
const DEVICES = ["/dev/full", "/dev/null", "/dev/random", "/dev/urandom", "/dev/zero"];

/** LIMIT: rules of one child, so that a folder of very many entries cannot hold up a start. */
const RULES_MAX = 16_384;

export interface Rule {
  readonly path: string;
  readonly rights: number;
}

/** Names in a folder; none where it cannot be listed, so that nothing in it is granted. */
export type Listing = (folder: string) => readonly string[];

/** Throws FEMTO_SANDBOX_UNAVAILABLE for what would take too many of them. */
export function landlockRules(mounts: readonly Mount[], namesIn: Listing): Rule[] {
  const standing = mounts.filter((mount) => mount.kind !== "link" && mount === coverOf(mounts, mount.path));
  const rules: Rule[] = DEVICES.map((path) => ({ path, rights: RIGHT.readFile | RIGHT.writeFile }));
  const grant = (path: string, rights: number): void => {
    const below = standing.filter((mount) => mount.path !== path && isWithin(mount.path, path));
    const shared = below.reduce((all, mount) => all & sharedWith(mount), rights);
    if (shared !== 0) rules.push({ path, rights: shared });
    if (rules.length > RULES_MAX) throw tooMany(path);
    if (shared === rights) return;
    for (const name of namesIn(path)) {
      const entry = `${path === "/" ? "" : path}/${name}`;
      if (!standing.some((mount) => mount.path === entry)) grant(entry, rights);
    }
  };
  for (const { path, kind } of standing) {
    const rights = rightsOf(kind);
    if (rights !== 0) grant(path, rights);
  }
  return rules;
}

/** What no child may open, whatever rules there are; each start tries them. */
export function hiddenPlaces(mounts: readonly Mount[], floor: readonly string[]): string[] {
  const masked = mounts.filter(({ kind }) => kind === "maskFile" || kind === "maskFolder").map(({ path }) => path);
  const outside = floor.filter((path) => !["readOnly", "readWrite"].includes(visibilityOf(mounts, path)));
  return [...new Set([...masked, ...outside, "/etc/shadow", "/proc/self/status", "/proc/1/cmdline"])];
}

const coverOf = (mounts: readonly Mount[], path: string): Mount | undefined =>
  mounts.findLast((mount) => isWithin(path, mount.path));

function rightsOf(kind: Mount["kind"]): number {
  if (kind === "readOnly") return READ_ONLY;
  return kind === "readWrite" ? READ_WRITE : 0;
}

/** What a folder around a mount may give to all below it. A hidden file loses nothing by a right to list folders. */
function sharedWith({ kind }: Mount): number {
  return kind === "maskFile" ? RIGHT.readDirectory : rightsOf(kind);
}

function tooMany(path: string): FemtoError {
  return new FemtoError(
    "FEMTO_SANDBOX_UNAVAILABLE",
    `Landlock would take more than ${RULES_MAX} rules, the last of them for ${printable(path)}`,
    { fix: "Grant smaller folders, or install bubblewrap." },
  );
}
