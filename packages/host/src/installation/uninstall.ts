/** `uninstall`: takes away what the receipt lists, and nothing else. */
import assert from "node:assert/strict";
import { lstatSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { FemtoError, printable } from "@femtoclaw/protocol";
import { removeGround } from "./ground.ts";
import { changedFiles, removeFiles, stateFolders } from "./install.ts";
import type { InForce, Library } from "./library.ts";
import type { InstalledFile, Owner, Receipt } from "./receipt.ts";

export interface UninstallOptions {
  /** Also what was changed since it was installed. */
  readonly changed: boolean;
  /** Also journal, keys and sockets. */
  readonly state: boolean;
}

export interface Removal {
  readonly removed: readonly string[];
  /** Folders whose content went, because it was told to. */
  readonly emptied: readonly string[];
  /** What was changed, and folders with something in them that was not installed. */
  readonly left: readonly string[];
}

/** Throws where files are others than those that were installed, unless they are to go too. */
export function refuseChanged({ receipt }: InForce, { changed, state }: UninstallOptions): void {
  if (state && receipt.state === null) {
    throw new FemtoError("FEMTO_INSTALL_REFUSED", "the configuration was there before, and so was its state", {
      fix: "Remove the state directory that `femtoclaw status` names yourself, if it has to go.",
    });
  }
  const files = changedFiles(receipt.files);
  if (changed || files.length === 0) return;
  const shown = files.map((path) => printable(path, 4_096)).join(", ");
  throw new FemtoError("FEMTO_INSTALL_CHANGED", `${shown} ${files.length === 1 ? "was" : "were"} changed since`);
}

/** What `uninstall` takes away: a state directory stays with what is in it, unless it is told to go. */
export function removable(
  library: Library,
  { receipt }: InForce,
  { state }: UninstallOptions,
): readonly InstalledFile[] {
  const staying = state ? [] : stateFolders(receipt);
  return receipt.files.filter(({ path }) => path !== library.path && !staying.includes(path));
}

/**
 * The command goes first and the receipt last, so that a removal that was cut off goes on with the next one. From the
 * moment on at which nothing is in force, what is left is that of an installation that was cut off.
 */
export function uninstall(library: Library, { receipt }: InForce, { changed, state }: UninstallOptions): Removal {
  library.begin({ doing: "install", files: receipt.files });
  const holdsLibrary = ({ path }: InstalledFile): boolean => `${library.path}/`.startsWith(`${path}/`);
  const own = receipt.files.filter((file) => !holdsLibrary(file));
  const links = removeFiles(
    own.filter(({ kind }) => kind === "link"),
    changed,
  );
  const emptied = state ? emptyState(receipt) : [];
  const files = removeFiles(
    own.filter(({ kind }) => kind !== "link"),
    changed,
  );
  library.putOutOfForce();
  const folders = removeGround(library, receipt.files);
  return {
    removed: [links, files, folders].flatMap(({ removed }) => removed),
    emptied,
    left: [links, files, folders].flatMap(({ left }) => left),
  };
}

/** INVARIANT: I8: what belongs to the service's user is removed as that user, who can remove nothing else. */
function emptyState(receipt: Receipt): readonly string[] {
  const folders = stateFolders(receipt).filter((path) => {
    return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  });
  asOwner(receipt.owner, () => {
    // The folders themselves are the receipt's.
    for (const folder of folders) {
      for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true });
    }
  });
  return folders;
}

function asOwner(owner: Owner | null, act: () => void): void {
  const { seteuid, setegid, geteuid, getegid } = process;
  if (owner === null || owner.uid === geteuid?.()) return act();
  assert(seteuid && setegid && geteuid && getegid, "a system with owners has users");
  const [uid, gid] = [geteuid(), getegid()];
  setegid(owner.gid);
  seteuid(owner.uid);
  try {
    act();
  } finally {
    seteuid(uid);
    setegid(gid);
  }
}
