/** Where the code of this process lies, so that no configuration lets calls change it. */
import { realpathSync } from "node:fs";
import { join, resolve } from "node:path";
import { OWN_CODE } from "#own-code";
import { libraryPathOf } from "../installation/layout.ts";
import type { OwnCode } from "../integrity/own-code.ts";
import { releaseFiles } from "../integrity/release-files.ts";

/** Folders of a checkout from which code or schemas are loaded. */
const CHECKOUT = ["machines", "node_modules", "packages", "schemas"];

/** Canonical files and folders: Node.js, and FemtoClaw with all of its dependencies. */
export function ownPrograms(code: OwnCode = OWN_CODE, executable = process.execPath): readonly string[] {
  const program = realpathSync.native(executable);
  if ("release" in code) {
    const library = libraryPathOf(program);
    // Anyone who could put a manifest beside the executable could keep it from starting. Anyone who could change another
    // deployment of an installation would choose what a rollback runs.
    return [program, ...Object.values(releaseFiles(program)), ...(library === null ? [] : [library])];
  }
  const { folder } = code;
  const installed = folder.indexOf("/node_modules/");
  // Every package beside an installed one may be a dependency of it.
  if (installed !== -1) return [program, folder.slice(0, installed + "/node_modules".length)];
  const root = resolve(folder, "../../..");
  return [program, ...CHECKOUT.map((name) => join(root, name))];
}
