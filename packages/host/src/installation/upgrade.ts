/** `upgrade` and `rollback`: which executable may follow which. */
import { FemtoError, printable } from "@femtoclaw/protocol";
import { type ChangeParts, changeDeployment } from "./change.ts";
import type { InForce } from "./library.ts";
import { isOlder, openRelease, type Release } from "./release.ts";

export interface UpgradeOptions {
  /** The executable; its manifest and signature lie beside it. */
  readonly file: string;
  readonly allowDowngrade: boolean;
}

/** The release, if it may follow what is in force; null if it is the very executable that is in force. */
export function nextRelease(from: InForce, { file, allowDowngrade }: UpgradeOptions): Release | null {
  const release = openRelease(file, from.receipt.key);
  if (release.binary.sha256 === from.receipt.binary) return null;
  const { version } = from.receipt;
  if (isOlder(release.version, version)) {
    // INVARIANT: I8: a signature is valid for ever, so an old executable with a known hole must not pass for an
    // upgrade.
    if (!allowDowngrade) throw older(release.version, version);
  } else {
    refuseForgetful(from, release);
  }
  return release;
}

export async function upgrade(parts: ChangeParts, from: InForce, release: Release): Promise<string> {
  const { version, machines } = release;
  const binary = release.binary.sha256;
  return await changeDeployment(parts, from, { source: { release }, version, binary, machines, change: "upgraded" });
}

/** Goes back to the previous deployment. Its executable examines journal and configuration first, like any other. */
export async function rollback(parts: ChangeParts, from: InForce): Promise<string> {
  const name = previousOf(from);
  const before = parts.library.receiptOf(name);
  if (before === null) throw nothingBefore();
  const { version, binary, machines } = before;
  return await changeDeployment(parts, from, {
    source: { deployment: name },
    version,
    binary,
    machines,
    change: "rolled_back",
  });
}

export function previousOf({ receipt }: InForce): string {
  if (receipt.previous === null) throw nothingBefore();
  return receipt.previous;
}

/**
 * Records name the machine that folds them, so an executable that lacks such a machine could not read this history.
 */
function refuseForgetful({ receipt }: InForce, { version, machines }: Release): void {
  const missing = Object.entries(receipt.machines).find(([name, sha256]) => machines[name] !== sha256);
  if (missing === undefined) return;
  throw new FemtoError(
    "FEMTO_INSTALL_REFUSED",
    `${version} does not know ${printable(missing[0])} as it is recorded here`,
  );
}

function older(version: string, than: string): FemtoError {
  return new FemtoError("FEMTO_INSTALL_REFUSED", `${version} is older than ${than}, which is in force`, {
    fix: "Use a later version. `femtoclaw rollback` returns to the previous one, `--allow-downgrade` allows any.",
  });
}

function nothingBefore(): FemtoError {
  return new FemtoError("FEMTO_INSTALL_REFUSED", "there is no deployment to go back to", {
    fix: "Name an executable: `femtoclaw upgrade FILE --allow-downgrade`.",
  });
}
