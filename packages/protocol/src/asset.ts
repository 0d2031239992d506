/**
 * Parts of the standalone executable that are files elsewhere: code of threads, the policy engine, machines. The build
 * fixes the digest of each. None of these parts exists when the sources are run directly.
 */
import { createHash } from "node:crypto";
import { getRawAsset } from "node:sea";
import { FemtoError } from "./faults/errors.ts";

/** SHA-256 of each part by name. The build inserts the table here. */
declare const FEMTOCLAW_ASSETS: Readonly<Record<string, string>>;

/** INVARIANT: I8: a part that differs by a single byte from the one that was built is neither run nor read. */
export function asset(name: string): Uint8Array {
  const bytes = new Uint8Array(getRawAsset(name));
  if (createHash("sha256").update(bytes).digest("hex") !== FEMTOCLAW_ASSETS[name]) {
    throw new FemtoError("FEMTO_INTEGRITY_FAILED", `the part ${name} of this executable is not the one that was built`);
  }
  return bytes;
}

/** A part that is text. */
export function assetText(name: string): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(asset(name));
}
