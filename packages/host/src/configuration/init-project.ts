/** Writes a first configuration that is safe to keep, and trusts exactly what it wrote. */
import { closeSync, constants, fsyncSync, linkSync, openSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { HostEnvironment } from "@femtoclaw/protocol";
import { FemtoError, hasNoHardLinks, printable, systemErrorCode } from "@femtoclaw/protocol";
import { SecureDirectory } from "@femtoclaw/runtime/secure-file";
import { besideName, discard, isBeside, sweepBeside } from "../installation/durable-files.ts";
import { describeAuthority } from "./describe-authority.ts";
import { resolveProject } from "./load-configuration.ts";
import { neededDurableFolder, neededFolder } from "./needed-folder.ts";
import { type Preset, presetTests, presetText } from "./presets.ts";
import {
  CONFIGURATION_BYTES_MAX,
  CONFIGURATION_NAME,
  POLICY_FOLDER,
  type ProjectFiles,
  projectDigest,
} from "./project-files.ts";
import { TrustStore } from "./trust-store.ts";

/** The preset's tests, in the policy folder. */
const TESTS_NAME = "first.test.toml";
const OTHER_PLACE = "Name a folder that this user may write to, on a disk with room.";

export interface InitOptions {
  readonly directory: string;
  readonly preset: Preset;
  readonly cwd: string;
  readonly environment: HostEnvironment;
}

export interface InitResult {
  /** Created files, in order. */
  readonly created: readonly string[];
  readonly stateDirectory: string;
  /** What the configuration allows, for people. */
  readonly description: string;
}

/**
 * Never overwrites a file. If it fails, it removes the files it wrote. None of them takes effect before they are
 * trusted at the end.
 */
export async function initProject({ directory, preset, cwd, environment }: InitOptions): Promise<InitResult> {
  const store = new TrustStore(environment);
  // Without an explicit mode the group might be able to change the folder, and the folder would then be refused.
  neededFolder(resolve(cwd, directory), 0o755, OTHER_PLACE);
  using folder = SecureDirectory.open(resolve(cwd, directory));
  if (folder === undefined) throw new FemtoError("FEMTO_CONFIG_NOT_FOUND", `${printable(directory)} went away`);
  const project = newProject(folder.path, preset);
  // A project that exists is refused before anything of it is resolved, or anything is made in the user's home.
  refuseExisting(folder, project);
  const { resolved } = resolveProject(project, { cwd, environment });
  // Of two at once, the second could otherwise rely on a file that the first removes because it fails. So only one at a
  // time looks for a project and writes one.
  return await store.whileAlone(async (trusted) => {
    sweepUnfinished(folder);
    refuseExisting(folder, project);
    const created = await writeProject(folder, project, async () => {
      await neededDurableFolder(resolved.stateDirectory, 0o700);
      trusted.trust(project.directory, project.sha256);
    });
    return { created, stateDirectory: resolved.stateDirectory, description: describeAuthority(resolved) };
  });
}

/** Writes the files and does the rest. If anything fails, removes the files. Returns the paths of the written files. */
async function writeProject(
  folder: SecureDirectory,
  project: ProjectFiles,
  rest: () => Promise<void>,
): Promise<readonly string[]> {
  // INVARIANT: a child that may write to the project cannot create a policy for it, because the folder exists and is
  // masked.
  neededFolder(folder.at(POLICY_FOLDER), 0o755, OTHER_PLACE, join(folder.path, POLICY_FOLDER));
  using policy = folder.folder(POLICY_FOLDER);
  if (policy === undefined) throw new FemtoError("FEMTO_CONFIG_INVALID", `${printable(folder.path)} changed meanwhile`);
  const written: WrittenFile[] = [];
  try {
    for (const [name, content] of project.policy) {
      if (!isSame(policy, name, content)) written.push(writeNew(policy, name, content));
    }
    written.push(writeNew(folder, CONFIGURATION_NAME, project.configuration));
    await rest();
  } catch (error) {
    // Otherwise the next attempt would find a project that somebody else seems to have begun.
    for (const { folder: within, name } of written) discard(within.at(name));
    throw error;
  }
  return written.map(({ folder: within, name }) => join(within.path, name));
}

interface WrittenFile {
  readonly folder: SecureDirectory;
  readonly name: string;
}

/**
 * INVARIANT: `init` vouches only for what it wrote. So it refuses a project that has a policy already, unless that is
 * to the byte what `init` writes and thus the remains of an `init` that was killed.
 */
function refuseExisting(folder: SecureDirectory, { policy: own }: ProjectFiles): void {
  using policy = folder.folder(POLICY_FOLDER);
  const finished = policy?.entries().filter(({ name }) => !isBeside(name, TESTS_NAME)) ?? [];
  const hasPolicy = policy !== undefined && finished.some(({ name }) => !isSame(policy, name, own.get(name)));
  const hasConfiguration = folder.entries().some(({ name }) => name === CONFIGURATION_NAME);
  if (!hasPolicy && !hasConfiguration) return;
  const existing = hasConfiguration ? CONFIGURATION_NAME : POLICY_FOLDER;
  throw new FemtoError("FEMTO_CONFIG_INVALID", `${printable(join(folder.path, existing))} exists already`, {
    fix: "Read what is there and run `femtoclaw trust`, or move it away; `init` never overwrites.",
  });
}

function isSame(folder: SecureDirectory, name: string, content: Uint8Array | undefined): boolean {
  return content !== undefined && folder.read(name, CONFIGURATION_BYTES_MAX)?.equals(content) === true;
}

function newProject(directory: string, preset: Preset): ProjectFiles {
  const configuration = Buffer.from(presetText(preset));
  const policy = new Map([[TESTS_NAME, Buffer.from(presetTests(preset))]]);
  const sha256 = projectDigest(configuration, policy);
  return { directory, path: join(directory, CONFIGURATION_NAME), configuration, policy, sha256 };
}

/** Removes files that an `init` was writing when it was killed. Without this, a policy would have a part of a file in it. */
function sweepUnfinished(folder: SecureDirectory): void {
  sweepBeside(folder.at(CONFIGURATION_NAME));
  using policy = folder.folder(POLICY_FOLDER);
  if (policy !== undefined) sweepBeside(policy.at(TESTS_NAME));
}

/** Writes a file that must not exist yet, whole or not at all, even if this process is killed. */
function writeNew(folder: SecureDirectory, name: string, content: Uint8Array): WrittenFile {
  const next = besideName(folder.at(name));
  try {
    writeBeside(next, content);
    giveName(next, folder, name);
    return { folder, name };
  } catch (error) {
    const code = systemErrorCode(error) ?? "unknown cause";
    throw new FemtoError("FEMTO_CONFIG_INVALID", `${printable(join(folder.path, name))} cannot be written (${code})`, {
      fix: OTHER_PLACE,
      cause: error,
    });
  } finally {
    discard(next);
  }
}

function writeBeside(path: string, content: Uint8Array): void {
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
  const descriptor = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644);
  try {
    writeFileSync(descriptor, content);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function giveName(from: string, folder: SecureDirectory, name: string): void {
  try {
    linkSync(from, folder.at(name));
  } catch (error) {
    const isTaken = folder.entries().some((entry) => entry.name === name);
    if (isTaken || !hasNoHardLinks(error)) throw error;
    renameSync(from, folder.at(name));
  }
}
