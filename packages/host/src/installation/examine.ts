/** Finds out for `doctor` whether an installation is what its receipt says. */
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { FemtoError, printable } from "@femtoclaw/protocol";
import { changedFiles } from "./install.ts";
import { assertKept } from "./layout.ts";
import { Library } from "./library.ts";

/** Returns a line that says what was found right; throws what is wrong. */
export function examineInstallation(program = process.execPath): string {
  const library = Library.of(program);
  assert(library !== null, "the program lies in a library");
  // Checks the executable and with it everything that it lies in: its deployment, the folder of all deployments, and
  // the folders above.
  assertKept(program);
  const current = library.inForce();
  if (current === null) throw refused("no deployment is in force", "Install it again.");
  const { receipt } = current;
  // The configuration is left out, because operators are meant to change it.
  const own = receipt.files.filter(({ path }) => path === receipt.unit || path === receipt.command);
  const [changed] = changedFiles(own);
  const missing = receipt.files.find(({ path }) => statSync(path, { throwIfNoEntry: false }) === undefined);
  if (changed !== undefined)
    throw refused(`${changed} was changed since it was installed`, "Put changes into a drop-in.");
  if (missing !== undefined) throw refused(`${missing.path} is missing`, "Run `femtoclaw install` again, as before.");
  const pending = library.pending();
  if (pending !== null && program !== library.program(pending.doing === "change" ? pending.to : undefined)) {
    throw refused("a change of the installation was cut off", "Run that command again; it ends what was begun first.");
  }
  return `${receipt.version} for ${receipt.scope === "system" ? "this machine" : "this user"}, as its receipt says`;
}

function refused(finding: string, fix: string): FemtoError {
  return new FemtoError("FEMTO_INSTALL_REFUSED", printable(finding, 4_096), { fix });
}
