/** Whether the running program is the one that was released. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { FemtoError, printable, systemErrorCode } from "@femtoclaw/protocol";
import type { Integrity } from "@femtoclaw/runtime";
import { OWN_CODE } from "#own-code";
import { ownStateFolder } from "../compiled-code.js";
import { fileDigest } from "./file-digest.ts";
import { checkRelease } from "./release-check.ts";
import { releaseFiles } from "./release-files.ts";

/** The running file itself, even if another one has taken its path by now. Only Linux offers such a name. */
const RUNNING = process.platform === "linux" ? "/proc/self/exe" : process.execPath;
/** LIMIT: bytes of a manifest or signature; a manifest has about 4,000. */
const FILE_BYTES_MAX = 1_048_576;
const RECEIPTS = "integrity";

export interface IntegrityOptions {
  readonly environment: NodeJS.ProcessEnv;
  /** Whether to read the whole executable even if there is a receipt of an earlier look. */
  readonly whole: boolean;
}

/** Throws FEMTO_INTEGRITY_FAILED if something does not match. */
export function ownIntegrity({ environment, whole }: IntegrityOptions): Integrity {
  if (!("release" in OWN_CODE)) {
    return { verdict: "unverified", reason: "it runs from sources, which nobody signed", binary: null };
  }
  const { manifest, signature } = releaseFiles(process.execPath);
  const evidence = { manifest: contentOf(manifest), signature: contentOf(signature) };
  const folder = whole ? null : (ownStateFolder(environment, RECEIPTS) ?? null);
  const { sha256, bytes } = fileDigest(RUNNING, folder);
  const running = { sha256, bytes, target: `${process.platform}-${process.arch}`, node: process.version };
  return { ...checkRelease(evidence, running, OWN_CODE.release), binary: sha256 };
}

/** Null if there is no file. Any other reason why it cannot be read is an error. */
export function contentOf(path: string): Uint8Array | null {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return null;
    throw unreadable(path, systemErrorCode(error) ?? "it cannot be opened", error);
  }
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile() || status.size > FILE_BYTES_MAX) throw unreadable(path, "it is no file of a usual size");
    const content = Buffer.alloc(status.size);
    return content.subarray(0, readSync(descriptor, content, 0, content.length, 0));
  } finally {
    closeSync(descriptor);
  }
}

function unreadable(path: string, finding: string, cause?: unknown): FemtoError {
  return new FemtoError("FEMTO_INTEGRITY_FAILED", `cannot read ${printable(path, 4_096)}: ${finding}`, { cause });
}
