/**
 * Turns the view of a child into rules of Landlock. A rule holds for everything below its path, and no rule takes a
 * right away. So if something below a folder is to have fewer rights, the folder's rule grants what everything below it
 * may have, and each entry beside it gets a rule of its own. Pure but for the listing of folders.
 */
import { FemtoError, isWithin, printable } from "@femtoclaw/protocol";
import { type Mount, visibilityOf } from "../views/mounts.ts";

/** Rights, by the kernel's numbers. */
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
  askDevice: 1 << 15,
} as const;

const READ = RIGHT.readFile | RIGHT.readDirectory;
/** A child can write to no folder with programs, so it can execute nothing that it wrote. */
const READ_ONLY = READ | RIGHT.execute;
const READ_WRITE =
  READ |
  (RIGHT.writeFile | RIGHT.truncate | RIGHT.removeDirectory | RIGHT.removeFile) |
  (RIGHT.makeDirectory | RIGHT.makeFile | RIGHT.makePipe | RIGHT.makeLink | RIGHT.refer);

/** Harmless devices; all others stay out of reach. */
const DEVICES = ["/dev/full", "/dev/null", "/dev/random", "/dev/urandom", "/dev/zero"];

/** Every process reaches its own terminal under this name, and no other one. */
export const OWN_TERMINAL: Rule = {
  path: "/dev/tty",
  rights: RIGHT.readFile | RIGHT.writeFile | RIGHT.askDevice,
};

/** LIMIT: rules of one child, so that a folder with very many entries cannot hold up a start. */
const RULES_MAX = 16_384;

export interface Rule {
  readonly path: string;
  readonly rights: number;
}

/** Lists the names in a folder; empty if it cannot be listed, so that nothing in it is granted. */
export type Listing = (folder: string) => readonly string[];

/** Throws FEMTO_SANDBOX_UNAVAILABLE if too many rules would be needed. */
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

/** Places that no child may open whatever the rules say. Each start tries to open them. */
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

/**
 * The rights that a folder around a mount may grant to everything below it. Listing folders reveals nothing of a hidden
 * file.
 */
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
