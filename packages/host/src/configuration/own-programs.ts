/** Where the code of this process lies, so that no configuration lets calls change it. */
import { realpathSync } from "node:fs";
import { join, resolve } from "node:path";

/** Folders of a checkout from which code or schemas are loaded. */
const CHECKOUT = ["machines", "node_modules", "packages", "schemas"];

/** Canonical files and folders: Node.js, and FemtoClaw with all that it depends on. */
export function ownPrograms(folder: string = import.meta.dirname): readonly string[] {
  const node = realpathSync.native(process.execPath);
  const installed = folder.indexOf("/node_modules/");
  // Every package beside an installed one may be a dependency of it.
  if (installed !== -1) return [node, folder.slice(0, installed + "/node_modules".length)];
  const root = resolve(folder, "../../../..");
  return [node, ...CHECKOUT.map((name) => join(root, name))];
}
