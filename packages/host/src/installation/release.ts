/**
 * An executable as it was published: what its manifest says, who signed that, and whether the file is the one that is
 * described.
 */
import { createHash, createPublicKey } from "node:crypto";
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  writeSync,
} from "node:fs";
import { errorText, FemtoError, parseStrictJson, printable, systemErrorCode } from "@femtoclaw/protocol";
import { contentOf } from "../integrity/own-integrity.ts";
import { isSignedBy } from "../integrity/release-check.ts";
import { releaseFiles } from "../integrity/release-files.ts";
import { createFile } from "./durable-files.ts";

/** LIMIT: bytes that are copied at once. */
const CHUNK_BYTES = 1_048_576;
/** LIMIT: bytes of an executable; one has about 140 MB. */
const EXECUTABLE_BYTES_MAX = 1_073_741_824;
/** LIMIT: bytes of a file with a public key; one has about 120. */
const KEY_BYTES_MAX = 65_536;

export interface Release {
  readonly executable: string;
  /** The bytes that were signed, and the signature over them. */
  readonly manifest: Uint8Array;
  readonly signature: Uint8Array;
  readonly version: string;
  readonly binary: { readonly sha256: string; readonly bytes: number };
  /** Digest of every version of every machine that it folds history with. */
  readonly machines: Readonly<Record<string, string>>;
}

/** INVARIANT: I3: nothing of a release is looked at before its signature, and nothing is installed without one. */
export function openRelease(executable: string, key: string): Release {
  if (!existsSync(executable)) {
    throw new FemtoError("FEMTO_INSTALL_REFUSED", `there is no ${printable(executable, 4_096)}`, {
      fix: "Name the executable, with its manifest and signature beside it.",
    });
  }
  const files = releaseFiles(executable);
  const [manifest, signature] = [contentOf(files.manifest), contentOf(files.signature)];
  if (manifest === null) throw unsigned(executable, `there is no ${printable(files.manifest, 4_096)}`);
  if (signature === null) throw unsigned(executable, `there is no ${printable(files.signature, 4_096)}`);
  if (!isSignedBy(key, manifest, signature)) {
    throw new FemtoError(
      "FEMTO_INTEGRITY_FAILED",
      `the signature over ${printable(files.manifest, 4_096)} is not by the key that counts here`,
      { fix: "Do not use this executable. Get one that is signed by the key that you trust." },
    );
  }
  const { target, ...said } = read(manifest, files.manifest);
  const here = `${process.platform}-${process.arch}`;
  if (target !== here) {
    throw new FemtoError("FEMTO_INSTALL_REFUSED", `the executable is for ${printable(target)}, and this is ${here}`);
  }
  return { executable, manifest, signature, ...said };
}

function unsigned(executable: string, finding: string): FemtoError {
  return new FemtoError("FEMTO_INSTALL_REFUSED", `${printable(executable, 4_096)} is not signed: ${finding}`, {
    fix: "Put its manifest and signature beside it. Its builder makes the signature with `npm run sign -- --key FILE`. An executable without a signature can be run, but not installed.",
  });
}

/**
 * Reads only what an installation needs. The manifest of a later version may say more, and is signed as well. The
 * executable itself checks every word of its manifest when it starts.
 */
function read(text: Uint8Array, path: string): Pick<Release, "version" | "binary" | "machines"> & { target: string } {
  const parsed = parseStrictJson(text);
  const value = parsed.ok ? (parsed.value as Record<string, unknown>) : null;
  const binary = (value?.["binary"] ?? null) as Record<string, unknown> | null;
  const [version, target, machines] = [value?.["version"], value?.["target"], value?.["machines"]];
  const [sha256, bytes] = [binary?.["sha256"], binary?.["bytes"]];
  const isRight =
    value?.["format"] === 1 &&
    value["name"] === "femtoclaw" &&
    typeof version === "string" &&
    versionParts(version) !== null &&
    typeof target === "string" &&
    typeof sha256 === "string" &&
    /^[0-9a-f]{64}$/.test(sha256) &&
    Number.isSafeInteger(bytes) &&
    typeof machines === "object" &&
    machines !== null;
  if (!isRight) {
    throw new FemtoError("FEMTO_INSTALL_REFUSED", `${printable(path, 4_096)} is no manifest that this version knows`);
  }
  return { version, target, binary: { sha256, bytes: Number(bytes) }, machines: machines as Record<string, string> };
}

/**
 * Copies the executable to a place that nobody else can write to, and compares the copy with the manifest, so that what
 * was checked is what will be run.
 */
export function copyExecutable({ executable, binary }: Release, to: string): void {
  const from = openSync(executable, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!fstatSync(from).isFile()) throw differs(executable, "it is not a file");
    const into = createFile(to, 0o755);
    try {
      const { sha256, bytes } = copy(from, into, Math.min(binary.bytes, EXECUTABLE_BYTES_MAX));
      if (bytes !== binary.bytes) throw differs(executable, "its size is another one");
      if (sha256 !== binary.sha256) throw differs(executable, `its SHA-256 is ${sha256}`);
      fsyncSync(into);
    } finally {
      closeSync(into);
    }
  } finally {
    closeSync(from);
  }
}

function copy(from: number, into: number, bytesMax: number): { sha256: string; bytes: number } {
  const hash = createHash("sha256");
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let bytes = 0;
  for (;;) {
    const read = readSync(from, chunk, 0, CHUNK_BYTES, null);
    if (read === 0) return { sha256: hash.digest("hex"), bytes };
    bytes += read;
    if (bytes > bytesMax) return { sha256: "", bytes };
    hash.update(chunk.subarray(0, read));
    for (let written = 0; written < read; ) written += writeSync(into, chunk, written, read - written);
  }
}

function differs(executable: string, finding: string): FemtoError {
  return new FemtoError(
    "FEMTO_INTEGRITY_FAILED",
    `${printable(executable, 4_096)} is not the executable of its manifest: ${finding}`,
    { fix: "Do not use this executable. Get it again from a source that you trust." },
  );
}

/** Reads a public key and returns it in one form, whatever its file looks like. */
export function readPublicKey(path: string): string {
  let pem: Buffer;
  try {
    pem = readFileSync(path);
    if (pem.length > KEY_BYTES_MAX) throw new Error("it is no file of a usual size");
    const key = createPublicKey(pem);
    if (key.asymmetricKeyType !== "ed25519") throw new Error("it is no Ed25519 key");
    return String(key.export({ type: "spki", format: "pem" }));
  } catch (error) {
    const reason = systemErrorCode(error) ?? errorText(error);
    throw new FemtoError("FEMTO_INSTALL_REFUSED", `${printable(path, 4_096)} holds no public key: ${reason}`, {
      fix: "Name the file that `npm run sign -- --new-key` wrote beside the private key, with the suffix .pub.",
      cause: error,
    });
  }
}

/** Null for a text that is no version of a release. */
function versionParts(version: string): readonly number[] | null {
  return /^\d{1,9}\.\d{1,9}\.\d{1,9}$/.test(version) ? version.split(".").map(Number) : null;
}

export function isOlder(version: string, than: string): boolean {
  const [parts, others] = [versionParts(version) ?? [], versionParts(than) ?? []];
  const at = parts.findIndex((part, index) => part !== others[index]);
  return at !== -1 && (parts[at] ?? 0) < (others[at] ?? 0);
}
