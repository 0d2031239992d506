/**
 * Puts a new log in the place of an old one. The new log is prepared beside the old one, and a single rename decides.
 * The steps after it are repeated after a crash until all are done. Nothing of the old log is deleted except its keys.
 */
import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm, rmdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { errorText, FemtoError, printable, systemErrorCode } from "@femtoclaw/protocol";
import { FileKeyring } from "../keys/file-keyring.ts";
import { isThere } from "../state-directory/is-there.ts";
import { EPOCHS_FOLDER } from "../state-directory/state-directory.ts";
import { syncFolder } from "../state-directory/sync-folder.ts";
import { IDENTITY_FILE } from "./directory-identity.ts";

/** The state that an old log folded to, stored beside it. */
export const STATE_FILE = "state.json";
const OWNER_ALL = 0o700;
/** The folder of a new log that was decided on. Its number is that under which the old log will be kept. */
const OPENING = /^([1-9][0-9]{0,8})\.opening$/;
/** The folder of a new log that was never decided on. */
const UNFINISHED = /^new\.[0-9a-f-]{36}$/;
/** What belongs to the old log besides the log itself. Each of them moves with the old log if it exists. */
const BESIDE = [IDENTITY_FILE, "telemetry-cursor", "telemetry-cursor-logs", "telemetry-metrics", "witnessed"] as const;

/** Where a log is prepared that will take the place of another one. */
export interface NewLog {
  /** Folder in which `journal`, `keys` and the state file are prepared. */
  readonly folder: string;
  readonly journal: string;
  readonly keys: string;
  /** Where the old log will be kept. */
  readonly oldLog: string;
}

/** Folders of the earlier logs, oldest first. */
async function epochsOf(root: string): Promise<readonly string[]> {
  const numbers = (await namesIn(join(root, EPOCHS_FOLDER))).filter((name) => /^[1-9][0-9]{0,8}$/.test(name));
  return numbers.sort((left, right) => Number(left) - Number(right)).map((name) => join(root, EPOCHS_FOLDER, name));
}

/** Makes the folders for a new log in this state directory, and clears away what earlier attempts left unfinished. */
export async function prepareNewLog(root: string): Promise<NewLog> {
  const epochs = join(root, EPOCHS_FOLDER);
  await mkdir(epochs, { recursive: true, mode: OWNER_ALL });
  for (const name of await namesIn(epochs)) {
    if (UNFINISHED.test(name)) await rm(join(epochs, name), { recursive: true, force: true });
  }
  const folder = join(epochs, `new.${randomUUID()}`);
  const oldLog = join(epochs, String(1 + Number(basename((await epochsOf(root)).at(-1) ?? "0"))));
  const made: NewLog = { folder, journal: join(folder, "journal"), keys: join(folder, "keys"), oldLog };
  for (const path of [folder, made.journal, made.keys]) await mkdir(path, { mode: OWNER_ALL });
  return made;
}

/**
 * INVARIANT: one rename decides: before it the old log stands untouched, after it the new log will take its place,
 * whatever happens.
 */
export async function decide(root: string, { folder, oldLog }: NewLog): Promise<void> {
  await syncFolder(folder);
  try {
    await rename(folder, `${oldLog}.opening`);
  } catch (error) {
    throw undecided(root, error);
  }
  await syncFolder(join(root, EPOCHS_FOLDER));
}

/** Finishes a succession that was decided on; does nothing if there is none. */
export async function finishSuccession(root: string): Promise<void> {
  const epochs = join(root, EPOCHS_FOLDER);
  for (const name of await namesIn(epochs)) {
    const number = OPENING.exec(name)?.[1];
    if (number === undefined) continue;
    try {
      await succeed(root, join(epochs, name), join(epochs, number));
    } catch (error) {
      if (error instanceof FemtoError) throw error;
      throw undecided(root, error);
    }
  }
}

// What is still in the preparation folder tells how far an interrupted run had come.
async function succeed(root: string, opening: string, epoch: string): Promise<void> {
  await mkdir(epoch, { mode: OWNER_ALL, recursive: true });
  await moveIfThere(join(opening, STATE_FILE), join(epoch, STATE_FILE));
  if (await isThere(join(opening, IDENTITY_FILE))) {
    for (const name of BESIDE) await moveIfThere(join(root, name), join(epoch, name));
    await rename(join(opening, IDENTITY_FILE), join(root, IDENTITY_FILE));
  }
  if (await isThere(join(opening, "keys"))) {
    // INVARIANT: I7: from here on the old key signs nothing more here, because it may go on signing in another place.
    if (await isThere(join(root, "keys"))) await new FileKeyring(join(root, "keys")).destroy();
    await takePlace(root, opening, epoch, "keys");
  }
  if (await isThere(join(opening, "journal"))) await takePlace(root, opening, epoch, "journal");
  for (const folder of [epoch, root]) await syncFolder(folder);
  await rmdir(opening);
  await syncFolder(join(root, EPOCHS_FOLDER));
}

/**
 * Moves the old folder aside, unless an earlier run did, and then puts the new one in its place. A start may have made
 * an empty folder there meanwhile; the rename replaces that.
 */
async function takePlace(root: string, opening: string, epoch: string, name: "keys" | "journal"): Promise<void> {
  if (!(await isThere(join(epoch, name)))) await moveIfThere(join(root, name), join(epoch, name));
  await rename(join(opening, name), join(root, name));
}

async function moveIfThere(from: string, to: string): Promise<void> {
  if (await isThere(from)) await rename(from, to);
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw error;
  }
}

/** The error for two concurrent starts, or for a disk that cannot be written to. */
function undecided(root: string, error: unknown): FemtoError {
  const code = systemErrorCode(error) ?? "";
  const isTaken = /^(?:ENOTEMPTY|EEXIST|ENOENT)$/.test(code);
  const reason = `${printable(root)} cannot begin a new epoch: ${code === "" ? errorText(error) : code}`;
  return new FemtoError(isTaken ? "FEMTO_JOURNAL_LOCKED" : "FEMTO_JOURNAL_WRITE_FAILED", reason, { cause: error });
}
