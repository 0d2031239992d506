/** `uninstall`: removes what the receipt lists, and nothing else. */
import assert from "node:assert/strict";
import { lstatSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { FemtoError, printable } from "@femtoclaw/protocol";
import { removeGround } from "./ground.ts";
import { changedFiles, removeFiles, stateFolders } from "./install.ts";
import type { InForce, Library } from "./library.ts";
import type { InstalledFile, Owner, Receipt } from "./receipt.ts";

export interface UninstallOptions {
  /** Also remove what was changed since it was installed. */
  readonly changed: boolean;
  /** Also remove journal, keys and sockets. */
  readonly state: boolean;
}

export interface Removal {
  readonly removed: readonly string[];
  /** Folders whose content was removed because that was asked for. */
  readonly emptied: readonly string[];
  /** Files that were changed, and folders that hold something that was not installed. */
  readonly left: readonly string[];
}

/** Throws if files were changed since they were installed, unless they are to be removed as well. */
export function refuseChanged({ receipt }: InForce, { changed, state }: UninstallOptions): void {
  if (state && receipt.state === null) {
    throw new FemtoError("FEMTO_INSTALL_REFUSED", "the configuration was there before, and so was its state", {
      fix: "To remove the state too, delete the state directory that `femtoclaw status` names.",
    });
  }
  const files = changedFiles(receipt.files);
  if (changed || files.length === 0) return;
  const shown = files.map((path) => printable(path, 4_096)).join(", ");
  throw new FemtoError("FEMTO_INSTALL_CHANGED", `${shown} ${files.length === 1 ? "was" : "were"} changed since`);
}

/** What `uninstall` removes. A state directory stays with its content, unless it is to be removed as well. */
export function removable(
  library: Library,
  { receipt }: InForce,
  { state }: UninstallOptions,
): readonly InstalledFile[] {
  const staying = state ? [] : stateFolders(receipt);
  return receipt.files.filter(({ path }) => path !== library.path && !staying.includes(path));
}

/**
 * Removes the command first and the receipt last, so that the next removal continues one that was cut off. Once nothing
 * is in force, what is left counts as an installation that was cut off.
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
    // The folders themselves are removed with what the receipt lists.
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
