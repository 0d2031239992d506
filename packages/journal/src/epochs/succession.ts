/**
 * Puts a new log in the place of an old one. Everything new is made ready beside the old; one rename
 * decides, and what follows it is done again after a crash until it is finished. Nothing of the old log goes.
 */
import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm, rmdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { errorText, FemtoError, printable, systemErrorCode } from "@femtoclaw/protocol";
import { FileKeyring } from "../keys/file-keyring.ts";
import { isThere } from "../state-directory/is-there.ts";
import { syncFolder } from "../state-directory/sync-folder.ts";
import { IDENTITY_FILE } from "./directory-identity.ts";

/** Folder of the logs before this one, in a state directory. */
export const EPOCHS_FOLDER = "epochs";
/** The state that an old log had folded to, beside it. */
export const STATE_FILE = "state.json";
const OWNER_ALL = 0o700;
/** A log that was decided on; its number is that of the old log whose place it takes. */
const OPENING = /^([1-9][0-9]{0,8})\.opening$/;
/** A log that was never decided on. */
const UNFINISHED = /^new\.[0-9a-f-]{36}$/;
/** What belongs to the old log besides the log itself; each goes with it where it is there. */
const BESIDE = [IDENTITY_FILE, "telemetry-cursor", "telemetry-cursor-logs", "telemetry-metrics", "witnessed"] as const;

/** Where a log is made ready that takes the place of another one. */
export interface NewLog {
  /** Folder in which `journal`, `keys` and the state file are made ready. */
  readonly folder: string;
  readonly journal: string;
  readonly keys: string;
  /** Where the old log will stand. */
  readonly oldLog: string;
}

/** Folders of the logs before this one, the oldest first. */
async function epochsOf(root: string): Promise<readonly string[]> {
  const numbers = (await namesIn(join(root, EPOCHS_FOLDER))).filter((name) => /^[1-9][0-9]{0,8}$/.test(name));
  return numbers.sort((left, right) => Number(left) - Number(right)).map((name) => join(root, EPOCHS_FOLDER, name));
}

/** Room for a new log in this state directory. What an earlier attempt left unfinished is cleared away. */
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

/** INVARIANT: one rename decides: before it the old log stands untouched, after it the new one comes, whatever happens. */
export async function decide(root: string, { folder, oldLog }: NewLog): Promise<void> {
  await syncFolder(folder);
  try {
    await rename(folder, `${oldLog}.opening`);
  } catch (error) {
    throw undecided(root, error);
  }
  await syncFolder(join(root, EPOCHS_FOLDER));
}

/** Finishes what was decided; does nothing where nothing was. */
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

// What still lies in the preparation tells how far this came, whenever it was cut off.
async function succeed(root: string, opening: string, epoch: string): Promise<void> {
  await mkdir(epoch, { mode: OWNER_ALL, recursive: true });
  await moveIfThere(join(opening, STATE_FILE), join(epoch, STATE_FILE));
  if (await isThere(join(opening, IDENTITY_FILE))) {
    for (const name of BESIDE) await moveIfThere(join(root, name), join(epoch, name));
    await rename(join(opening, IDENTITY_FILE), join(root, IDENTITY_FILE));
  }
  if (await isThere(join(opening, "keys"))) {
    // INVARIANT: I7: the old key signs nothing more from here, because it may sign in another place.
    if (await isThere(join(root, "keys"))) await new FileKeyring(join(root, "keys")).destroy();
    await takePlace(root, opening, epoch, "keys");
  }
  if (await isThere(join(opening, "journal"))) await takePlace(root, opening, epoch, "journal");
  for (const folder of [epoch, root]) await syncFolder(folder);
  await rmdir(opening);
  await syncFolder(join(root, EPOCHS_FOLDER));
}

/** The old folder stands aside once; an empty one that a start has made in its place since gives way. */
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

/** What two starts at once run into, or a disk that takes nothing more. */
function undecided(root: string, error: unknown): FemtoError {
  const code = systemErrorCode(error) ?? "";
  const isTaken = /^(?:ENOTEMPTY|EEXIST|ENOENT)$/.test(code);
  const reason = `${printable(root)} cannot begin a new epoch: ${code === "" ? errorText(error) : code}`;
  return new FemtoError(isTaken ? "FEMTO_JOURNAL_LOCKED" : "FEMTO_JOURNAL_WRITE_FAILED", reason, { cause: error });
}
