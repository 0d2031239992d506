/** Compares an executable with its manifest and signature. Pure: reads no files and no clock. */
import { createPublicKey, verify } from "node:crypto";
import { FemtoError, parseJson, type ReleaseManifest, VERSION, validateRelease } from "@femtoclaw/protocol";
import type { OwnRelease } from "./own-code.ts";

export interface ReleaseEvidence {
  /** Null if there is no such file. */
  readonly manifest: Uint8Array | null;
  readonly signature: Uint8Array | null;
}

/** The properties of the running executable, as it observes them itself. */
export interface RunningBinary {
  readonly sha256: string;
  readonly bytes: number;
  readonly target: string;
  readonly node: string;
}

export interface ReleaseVerdict {
  readonly verdict: "verified" | "unverified";
  readonly reason: string;
}

/**
 * INVARIANT: I3: whatever evidence exists has to match. Missing evidence is reported; evidence that does not match
 * throws FEMTO_INTEGRITY_FAILED, no matter who wrote it.
 */
export function checkRelease(
  { manifest, signature }: ReleaseEvidence,
  running: RunningBinary,
  own: OwnRelease,
): ReleaseVerdict {
  if (manifest === null) {
    if (signature !== null)
      throw failed("a signature lies beside the executable, and the manifest that it is over is gone");
    return { verdict: "unverified", reason: "no manifest lies beside the executable" };
  }
  if (signature !== null && own.key !== null && !isSignedBy(own.key, manifest, signature)) {
    throw failed("the signature over the manifest is not by the key that this executable accepts");
  }
  compare(read(manifest), running, own);
  if (signature === null) return { verdict: "unverified", reason: "it fits its manifest, which nobody signed" };
  if (own.key === null) {
    return {
      verdict: "unverified",
      reason: "it fits its manifest, but was built without a key to check signatures by",
    };
  }
  return { verdict: "verified", reason: "it fits its manifest, which is signed by the key that it accepts" };
}

export function isSignedBy(key: string, text: Uint8Array, signature: Uint8Array): boolean {
  return verify(null, text, createPublicKey(key), signature);
}

function read(text: Uint8Array): ReleaseManifest {
  let value: unknown;
  try {
    value = parseJson(new TextDecoder("utf-8", { fatal: true }).decode(text));
  } catch {
    throw failed("the manifest beside the executable is not JSON");
  }
  if (!validateRelease(value)) throw failed("the manifest beside the executable is not one that this version knows");
  return value as ReleaseManifest;
}

function compare(manifest: ReleaseManifest, running: RunningBinary, own: OwnRelease): void {
  const facts: readonly (readonly [what: string, said: unknown, found: unknown])[] = [
    ["version", manifest.version, VERSION],
    ["target", manifest.target, running.target],
    ["Node.js", manifest.node, running.node],
    ["size", manifest.binary.bytes, running.bytes],
    ["SHA-256", manifest.binary.sha256, running.sha256],
  ];
  for (const [what, said, found] of facts) {
    if (said !== found)
      throw failed(`the executable is not the one of its manifest: its ${what} is ${found}, not ${said}`);
  }
  const names = new Set([...Object.keys(manifest.assets), ...Object.keys(own.assets)]);
  for (const name of names) {
    if (manifest.assets[name] !== own.assets[name])
      throw failed(`the manifest names another part ${JSON.stringify(name)}`);
  }
}

function failed(finding: string): FemtoError {
  return new FemtoError("FEMTO_INTEGRITY_FAILED", finding);
}
