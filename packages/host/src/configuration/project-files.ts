/** The files of a project that decide what is allowed: the configuration and the policy folder beside it. */
import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { FemtoError, printable } from "@femtoclaw/protocol";
import type { DeployedSources } from "@femtoclaw/runtime";
import { SecureDirectory } from "@femtoclaw/runtime/secure-file";

export const CONFIGURATION_NAME = "femtoclaw.toml";
export const POLICY_FOLDER = "policy";

/** LIMIT: bytes of the configuration or of one policy file; nobody can review more. */
export const CONFIGURATION_BYTES_MAX = 1_048_576;
/** LIMIT: files in the policy folder, including its subfolders. */
const POLICY_FILES_MAX = 256;
/** LIMIT: depth of nested folders in the policy folder. */
const POLICY_DEPTH_MAX = 4;
/**
 * INVARIANT: I3: no rule is skipped. Node.js puts this character into a name that is not UTF-8, so that such a name
 * leads nowhere or to another file.
 */
const REPLACED = "\ufffd";

export interface ProjectFiles {
  /** Canonical folder of the configuration. */
  readonly directory: string;
  /** Canonical path of the configuration. */
  readonly path: string;
  readonly configuration: Uint8Array;
  /** From relative path, for example `team/extra.cedar`, to content. */
  readonly policy: ReadonlyMap<string, Uint8Array>;
  /** Digest over all of these files; this is what an operator trusts. */
  readonly sha256: string;
}

/** Reads everything once. The code that loads the project uses these bytes and never reads the files again. */
export function readProjectFiles(path: string): ProjectFiles {
  using directory = SecureDirectory.open(dirname(path));
  const configuration = directory?.read(basename(path), CONFIGURATION_BYTES_MAX);
  if (directory === undefined || configuration === undefined) {
    throw new FemtoError("FEMTO_CONFIG_NOT_FOUND", `there is no configuration at ${printable(path)}`);
  }
  const policy = new Map<string, Uint8Array>();
  using folder = directory.folder(POLICY_FOLDER);
  if (folder !== undefined) readPolicy(folder, "", policy, 1);
  return {
    directory: directory.path,
    path: join(directory.path, basename(path)),
    configuration,
    policy,
    sha256: projectDigest(configuration, policy),
  };
}

function readPolicy(folder: SecureDirectory, prefix: string, files: Map<string, Uint8Array>, depth: number): void {
  if (depth > POLICY_DEPTH_MAX) throw tooMuch(folder, `is nested deeper than ${POLICY_DEPTH_MAX} folders`);
  for (const entry of folder.entries()) {
    if (entry.name.includes(REPLACED)) throw notText(folder, entry.name);
    const name = prefix + entry.name;
    if (entry.isDirectory()) {
      using inner = folder.folder(entry.name);
      if (inner === undefined) throw tooMuch(folder, "changed while it was read");
      readPolicy(inner, `${name}/`, files, depth + 1);
      continue;
    }
    // `read` refuses links, pipes and devices, because it checks the opened file.
    const content = folder.read(entry.name, CONFIGURATION_BYTES_MAX);
    if (content === undefined) throw tooMuch(folder, "changed while it was read");
    files.set(name, content);
    if (files.size > POLICY_FILES_MAX) throw tooMuch(folder, `holds more than ${POLICY_FILES_MAX} files`);
  }
}

function notText(folder: SecureDirectory, name: string): FemtoError {
  return new FemtoError(
    "FEMTO_CONFIG_INVALID",
    `the policy folder ${printable(folder.path)} holds \`${printable(name)}\`, a name that is not UTF-8`,
    { fix: "Give it another name." },
  );
}

function tooMuch(folder: SecureDirectory, finding: string): FemtoError {
  return new FemtoError("FEMTO_CONFIG_INVALID", `the policy folder ${printable(folder.path)} ${finding}`);
}

export function projectDigest(configuration: Uint8Array, policy: ReadonlyMap<string, Uint8Array>): string {
  return partsDigest([Buffer.from("femtoclaw project 1"), configuration, ...policyParts(policy)]);
}

/** The digests that identify a deployment. They do not depend on where the files lie. */
export function deployedSources({ configuration, policy }: ProjectFiles): DeployedSources {
  return {
    configuration: createHash("sha256").update(configuration).digest("hex"),
    policy: partsDigest([Buffer.from("femtoclaw policy folder 1"), ...policyParts(policy)]),
  };
}

function policyParts(policy: ReadonlyMap<string, Uint8Array>): Uint8Array[] {
  const names = [...policy.keys()].map((name) => ({ name, bytes: Buffer.from(name) }));
  return names
    .sort((left, right) => Buffer.compare(left.bytes, right.bytes))
    .flatMap(({ name, bytes }) => [bytes, policy.get(name) ?? Buffer.alloc(0)]);
}

/** INVARIANT: each part is preceded by its length, so that no two different projects have the same digest. */
function partsDigest(parts: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const part of parts) {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(part.length));
    hash.update(length).update(part);
  }
  return hash.digest("hex");
}
