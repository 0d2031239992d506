/**
 * Which projects the user trusts, by the digest of their files. Stored outside every project, so that nothing in a
 * project can vouch for itself.
 */
import { closeSync, constants, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  FemtoError,
  type HostEnvironment,
  parseStrictJson,
  printable,
  stateHome,
  systemErrorCode,
} from "@femtoclaw/protocol";
import { SecureDirectory } from "@femtoclaw/runtime/secure-file";
import { discard, syncFolder } from "../installation/durable-files.ts";
import { lockChanges } from "./change-lock.ts";
import { neededDurableFolder } from "./needed-folder.ts";
import type { ProjectFiles } from "./project-files.ts";

const NAME = "trusted.json";
/** The new content while it is being written. */
const NEXT_NAME = "trusted.json.next";
/** LIMIT: bytes of the store, enough for some thousand projects. */
const STORE_BYTES_MAX = 1_048_576;

type Projects = ReadonlyMap<string, string>;

export class TrustStore {
  readonly #directory: string;

  constructor(environment: HostEnvironment) {
    const directory = stateHome(environment);
    if (directory === undefined) {
      throw new FemtoError(
        "FEMTO_CONFIG_INVALID",
        "the list of trusted projects is in the user's state directory: set HOME",
        {
          fix: "Set HOME or XDG_STATE_HOME to an absolute path, or name the configuration with --config.",
        },
      );
    }
    this.#directory = directory;
  }

  /** INVARIANT: a project that was found rather than named is loaded only in the state that the operator has seen. */
  check(project: Pick<ProjectFiles, "directory" | "path" | "sha256">): void {
    const trusted = this.list().get(project.directory);
    if (trusted === project.sha256) return;
    const finding = trusted === undefined ? "has not been trusted" : "has changed since it was trusted";
    throw new FemtoError("FEMTO_CONFIG_UNTRUSTED", `${printable(project.path)} ${finding}, so nothing of it is loaded`);
  }

  /** From canonical project folder to digest. */
  list(): Projects {
    using directory = SecureDirectory.open(this.#directory);
    return directory === undefined ? new Map() : read(directory);
  }

  /** Trusts exactly the files with this digest, as they were shown to the operator, whatever lies there by now. */
  async trust(projectDirectory: string, sha256: string): Promise<void> {
    await this.whileAlone((list) => list.trust(projectDirectory, sha256));
  }

  /** Returns false if the project was not trusted anyway. */
  async revoke(projectDirectory: string): Promise<boolean> {
    return await this.whileAlone((list) => list.revoke(projectDirectory));
  }

  /** Does the work while no other process changes what is trusted. */
  async whileAlone<T>(work: (list: TrustList) => T | Promise<T>): Promise<T> {
    await neededDurableFolder(this.#directory, 0o700);
    using directory = SecureDirectory.open(this.#directory);
    if (directory === undefined) throw new FemtoError("FEMTO_CONFIG_INVALID", `${this.#directory} went away`);
    using _ = await lockChanges(directory, NAME, "what is trusted");
    return await work(new TrustList(directory));
  }
}

/** The list while this process alone changes it. */
class TrustList {
  readonly #directory: SecureDirectory;

  constructor(directory: SecureDirectory) {
    this.#directory = directory;
  }

  trust(projectDirectory: string, sha256: string): void {
    this.#change((projects) => projects.set(projectDirectory, sha256));
  }

  revoke(projectDirectory: string): boolean {
    return this.#change((projects) => projects.delete(projectDirectory));
  }

  #change<T>(change: (projects: Map<string, string>) => T): T {
    try {
      const projects = new Map(read(this.#directory));
      const changed = change(projects);
      replace(this.#directory, serialize(projects));
      return changed;
    } catch (error) {
      throw unwritable(this.#directory, error);
    }
  }
}

/** Call this only while holding the lock: then a file under the next name can only be left by a killed process. */
function replace(directory: SecureDirectory, text: string): void {
  const next = directory.at(NEXT_NAME);
  rmSync(next, { force: true });
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
  const descriptor = openSync(next, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    writeFileSync(descriptor, text);
    fsyncSync(descriptor);
    renameSync(next, directory.at(NAME));
  } catch (error) {
    discard(next);
    throw error;
  } finally {
    closeSync(descriptor);
  }
  // INVARIANT: I8: a trust that was withdrawn does not come back after a power failure.
  syncFolder(directory.at("."));
}

function unwritable({ path }: SecureDirectory, error: unknown): unknown {
  const code = systemErrorCode(error);
  if (error instanceof FemtoError || code === undefined) return error;
  return new FemtoError(
    "FEMTO_SURROUNDINGS",
    `the list of trusted projects cannot be written to ${printable(path, 4_096)} (${code})`,
    {
      fix: "Free space on that disk, or set HOME or XDG_STATE_HOME to a folder that this user may write to.",
      cause: error,
    },
  );
}

function serialize(projects: Projects): string {
  const text = `${JSON.stringify({ version: 1, projects: Object.fromEntries(projects) }, null, 2)}\n`;
  if (Buffer.byteLength(text) <= STORE_BYTES_MAX) return text;
  throw new FemtoError("FEMTO_CONFIG_INVALID", `${projects.size} trusted projects are more than the list can hold`, {
    fix: "Revoke some with `femtoclaw trust --revoke`.",
  });
}

function read(directory: SecureDirectory): Projects {
  const bytes = directory.read(NAME, STORE_BYTES_MAX);
  if (bytes === undefined) return new Map();
  const parsed = parseStrictJson(bytes);
  const projects = parsed.ok ? trustedProjects(parsed.value) : undefined;
  if (projects !== undefined) return projects;
  const path = join(directory.path, NAME);
  throw new FemtoError("FEMTO_CONFIG_INVALID", `the list of trusted projects is damaged (${path})`, {
    fix: `Remove ${path} and trust your projects again.`,
  });
}

function trustedProjects(value: unknown): Projects | undefined {
  if (!isObject(value) || value["version"] !== 1 || !isObject(value["projects"])) return undefined;
  const entries = Object.entries(value["projects"]);
  const isSound = ([directory, sha256]: [string, unknown]): boolean =>
    directory.startsWith("/") && typeof sha256 === "string" && /^[0-9a-f]{64}$/.test(sha256);
  return entries.every(isSound)
    ? new Map(entries.map(([directory, sha256]) => [directory, String(sha256)]))
    : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
