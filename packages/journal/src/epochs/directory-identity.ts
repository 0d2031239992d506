/**
 * Recognizes copies of a state directory. A small file in it tells from which machine, folders and boot the directory
 * was last used, so that a copy is recognized as one, wherever it lies.
 */
import { createHmac } from "node:crypto";
import { constants } from "node:fs";
import { open, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  errorText,
  FemtoError,
  isOutOfRoom,
  type LogParent,
  outOfRoom,
  parseJson,
  printable,
  systemErrorCode,
} from "@femtoclaw/protocol";
import type { KnownRecord } from "../journal-options.ts";
import { readPrivate } from "../keys/private-file.ts";
import { syncFolder } from "../state-directory/sync-folder.ts";

export const IDENTITY_FILE = "identity";
/** LIMIT: bytes of the file; it has about 500. */
const IDENTITY_BYTES_MAX = 4_096;
const FORMAT = 1;

/**
 * What changes when a directory is copied or restored: the identities of its folders and of the identity file itself.
 */
interface Places {
  readonly directory: string;
  readonly journal: string;
  readonly self: string;
}

/**
 * The folders to describe, and where to write the file. They differ while a new log is prepared away from its final
 * place.
 */
interface IdentityFolders {
  readonly root: string;
  readonly journal: string;
  /** Folder to write the identity file to. */
  readonly into: string;
}

/** Which log lies in the directory, and where the directory was when this was written. */
export interface DirectoryIdentity {
  readonly v: typeof FORMAT;
  /** Name of the log. */
  readonly origin: string;
  /** The hashed name of this machine; null if it has none. */
  readonly machine: string | null;
  readonly places: Places;
  /** The last boot that succeeded; null before the first. */
  readonly boot: KnownRecord | null;
}

/** Whether a state directory is still the original. */
export type Standing =
  /** The directory is the original. */
  | { readonly same: true; readonly identity: DirectoryIdentity }
  /** The directory is a copy, or that cannot be told. */
  | { readonly same: false; readonly reason: LogParent["reason"] };

/** Tells the name of the machine. On Linux each installation has one. */
export type MachineName = () => Promise<string | null>;

const machineName: MachineName = async () => {
  const text = await readFile("/etc/machine-id", "latin1").catch(() => "");
  const name = text.trim();
  // Another program that hashes the same name gets another hash, so that this file cannot be linked with its files.
  return /^[0-9a-f]{32}$/.test(name) ? createHmac("sha256", name).update("femtoclaw directory").digest("hex") : null;
};

/**
 * Whether the state directory is still the one that was last used. Throws if somebody else could have written the
 * identity file.
 */
export async function standingOf(root: string, machine: MachineName = machineName): Promise<Standing> {
  const text = await readPrivate(join(root, IDENTITY_FILE), IDENTITY_BYTES_MAX);
  const identity = text === null ? null : parseIdentity(text);
  if (identity === null) return { same: false, reason: "unidentified" };
  const [here, now] = await Promise.all([machine(), placesOf(root, join(root, "journal"), join(root, IDENTITY_FILE))]);
  // A machine without a name, such as a container, is not taken for a different one.
  const isElsewhere = identity.machine !== null && here !== null && identity.machine !== here;
  const names = Object.keys(now) as (keyof Places)[];
  const isCopy = isElsewhere || names.some((name) => identity.places[name] !== now[name]);
  return isCopy ? { same: false, reason: "copy" } : { same: true, identity };
}

/**
 * Records that these folders, as they are now, belong to the log. INVARIANT: the file is replaced whole, by a rename.
 */
export async function writeIdentity(
  { root, journal, into }: IdentityFolders,
  { origin, boot }: Pick<DirectoryIdentity, "origin" | "boot">,
  machine: MachineName = machineName,
): Promise<void> {
  try {
    await replaceIdentity({ root, journal, into }, { origin, boot }, machine);
  } catch (error) {
    const reason = `${printable(join(into, IDENTITY_FILE))} cannot be written: ${systemErrorCode(error) ?? errorText(error)}`;
    if (isOutOfRoom(error)) throw outOfRoom(reason, error);
    throw new FemtoError("FEMTO_JOURNAL_WRITE_FAILED", reason, { cause: error });
  }
}

async function replaceIdentity(
  { root, journal, into }: IdentityFolders,
  { origin, boot }: Pick<DirectoryIdentity, "origin" | "boot">,
  machine: MachineName,
): Promise<void> {
  const fresh = join(into, `${IDENTITY_FILE}.new`);
  // A crash may have left a file of this name.
  await rm(fresh, { force: true });
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
  const file = await open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    // A rename keeps the birth time of a file, so the file can contain its own.
    const places = await placesOf(root, journal, fresh);
    const identity: DirectoryIdentity = { v: FORMAT, origin, machine: await machine(), places, boot };
    await file.writeFile(`${JSON.stringify(identity)}\n`);
    await file.sync();
    await rename(fresh, join(into, IDENTITY_FILE));
  } finally {
    await file.close();
  }
  await syncFolder(into);
}

async function placesOf(directory: string, journal: string, self: string): Promise<Places> {
  const births = await Promise.all([birth(directory), birth(journal), birth(self)]);
  return { directory: births[0], journal: births[1], self: births[2] };
}

/**
 * Inode and time of birth. Nobody can choose them, and a copy gets others. Device numbers are left out, because they
 * may change whenever the machine starts.
 */
async function birth(path: string): Promise<string> {
  const { ino, birthtimeNs } = await stat(path, { bigint: true });
  return `${ino}@${birthtimeNs}`;
}

function parseIdentity(text: string): DirectoryIdentity | null {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const { v, origin, machine, places, boot } = value as Partial<Record<keyof DirectoryIdentity, unknown>>;
  // A newer version of FemtoClaw has used the directory since, and this version cannot judge it.
  if (typeof v === "number" && v > FORMAT) {
    throw new FemtoError(
      "FEMTO_JOURNAL_FORMAT",
      `the file ${IDENTITY_FILE} has format ${v} where ${FORMAT} is understood`,
    );
  }
  const isMachine = machine === null || typeof machine === "string";
  if (v !== FORMAT || typeof origin !== "string" || !isMachine || !isPlaces(places) || !isBoot(boot)) return null;
  return { v, origin, machine, places, boot };
}

function isPlaces(value: unknown): value is Places {
  if (typeof value !== "object" || value === null) return false;
  return ["directory", "journal", "self"].every((name) => typeof Reflect.get(value, name) === "string");
}

function isBoot(value: unknown): value is KnownRecord | null {
  if (value === null) return true;
  if (typeof value !== "object") return false;
  return typeof Reflect.get(value, "boot") === "string" && Number.isSafeInteger(Reflect.get(value, "seq"));
}
