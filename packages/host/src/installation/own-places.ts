/**
 * What an installation makes has names of its own, wherever it lies. Nothing else is removed, whatever a receipt says.
 */
import { realpathSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { FemtoError, printable } from "@femtoclaw/protocol";
import { CONFIGURATION_NAME, POLICY_FOLDER } from "../configuration/project-files.ts";
import { NAME, UNIT } from "./layout.ts";
import type { Library } from "./library.ts";
import type { InstalledFile, Receipt } from "./receipt.ts";
import { dataFolders } from "./service-unit.ts";

/** Throws if the receipt belongs to an installation elsewhere, such as one that was copied, or to none. */
export function assertOwnReceipt(library: Library, { files, data, state }: Receipt): void {
  assertOwnFiles(library, files);
  if (state === null) return;
  const isOwn = isResolved(data) && basename(data) === NAME && state === dataFolders(data).state;
  if (!isOwn) throw foreign(library, state);
}

/**
 * INVARIANT: only files with names that are installed are removed, a link only if it leads into this very library, and
 * folders only if they are empty.
 */
export function assertOwnFiles(library: Library, files: readonly InstalledFile[]): void {
  const other = files.find((file) => !isResolved(file.path) || !isMadeHere(library, file));
  if (other !== undefined) throw foreign(library, other.path);
}

function isMadeHere(library: Library, file: InstalledFile): boolean {
  const name = basename(file.path);
  const folder = basename(dirname(file.path));
  if (file.kind === "folder") return true;
  if (file.kind === "link") return name === NAME && isSameFolder(dirname(dirname(file.target)), library.path);
  if (name === UNIT || (name === CONFIGURATION_NAME && folder === NAME)) return true;
  return folder === POLICY_FOLDER && basename(dirname(dirname(file.path))) === NAME && name.endsWith(".test.toml");
}

const isResolved = (path: string): boolean => resolve(path) === path;

function isSameFolder(one: string, other: string): boolean {
  try {
    return realpathSync.native(one) === realpathSync.native(other);
  } catch {
    return false;
  }
}

function foreign(library: Library, path: string): FemtoError {
  const reason = `what is installed in ${printable(library.path, 4_096)} lists ${printable(path, 4_096)}, which is none of it`;
  return new FemtoError("FEMTO_INSTALL_REFUSED", reason, {
    fix: "Move the folder back to where it was installed, or restore its receipt from a backup. Otherwise remove your files by hand.",
  });
}
