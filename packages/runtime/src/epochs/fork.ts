/**
 * A fork: a state directory of its own whose log goes on from a record of another one. It holds the old log
 * as an export that anyone can verify, and the state that it had folded to. Nothing is run by making it.
 */
import { randomUUID } from "node:crypto";
import { lstat, mkdir, readdir, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import {
  EPOCHS_FOLDER,
  exportTiles,
  type LogReader,
  parentAt,
  syncFolder,
  syncTree,
  writeIdentity,
} from "@femtoclaw/journal";
import { errorText, FemtoError, type LogParent, printable, systemErrorCode } from "@femtoclaw/protocol";
import { replay } from "../replay/replay.ts";
import { type FoundedLog, foundLog } from "./founding.ts";

const OWNER_ALL = 0o700;
const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

export interface ForkOptions {
  /** The log; a checkpoint covers the record. */
  readonly reader: LogReader;
  /** The last record that is gone on from. */
  readonly seq: number;
  /** State directory of the fork: an absolute path where nothing is, or an empty folder. */
  readonly out: string;
  /** State directory of the log. */
  readonly stateDirectory: string;
}

export interface Fork extends FoundedLog {
  readonly parent: LogParent;
  /** Canonical path of the new state directory. */
  readonly directory: string;
  /** Executions whose outcome nobody knew at that record. */
  readonly unresolved: number;
}

export async function forkLog(options: ForkOptions): Promise<Fork> {
  const { reader, seq, stateDirectory } = options;
  if (!Number.isSafeInteger(seq) || seq < 0 || seq >= reader.size) {
    throw refused(`the journal holds records 0 to ${reader.size - 1}, and ${seq} is not one of them`);
  }
  const directory = await freePlace(options.out, stateDirectory);
  const making = join(dirname(directory), `.${basename(directory)}.${randomUUID()}.forking`);
  try {
    const fork = await makeFork(options, making);
    // INVARIANT: what stands at the place named by the operator is whole, or is not there.
    await rename(making, directory);
    await syncFolder(dirname(directory));
    return { ...fork, directory };
  } catch (error) {
    await rm(making, { recursive: true, force: true });
    if (error instanceof FemtoError) throw error;
    throw refused(`${printable(directory)} cannot be written: ${systemErrorCode(error) ?? errorText(error)}`, error);
  }
}

async function makeFork({ reader, seq }: ForkOptions, root: string): Promise<Omit<Fork, "directory">> {
  const { projection } = await replay(reader, { to: seq });
  const parent = await parentAt(reader, seq + 1, "fork");
  const log = { journal: join(root, "journal"), keys: join(root, "keys") };
  const epochs = join(root, EPOCHS_FOLDER);
  for (const path of [root, log.journal, log.keys, epochs]) await mkdir(path, { mode: OWNER_ALL });
  const old = join(epochs, "1");
  await exportTiles(reader, old, seq + 1);
  const founded = await foundLog({ parent, projection, log, stateFolder: old });
  await writeIdentity({ root, journal: log.journal, into: root }, { origin: founded.origin, boot: null });
  await syncTree(epochs);
  return { ...founded, parent, unresolved: projection.open.size + projection.unresolved.size };
}

/** INVARIANT: I8: a fork is made where nobody else could put another one in its place, and not inside of what it forks. */
async function freePlace(out: string, stateDirectory: string): Promise<string> {
  const wanted = resolve(out);
  const above = await realpath(dirname(wanted)).catch((error: unknown) => {
    throw refused(`${printable(dirname(wanted))} cannot be used: ${systemErrorCode(error) ?? errorText(error)}`, error);
  });
  const place = join(above, basename(wanted));
  const own = await realpath(stateDirectory);
  if (`${place}/`.startsWith(`${own}/`)) throw refused(`${printable(place)} lies in the state directory`);
  await assertFree(place);
  const { uid, mode } = await stat(above);
  const me = process.geteuid?.() ?? uid;
  if (uid !== me && uid !== 0) throw refused(`${printable(above)} belongs to user ${uid}`);
  // In a sticky folder such as /tmp nobody can replace what belongs to somebody else.
  if ((mode & OTHERS_WRITE) !== 0 && (mode & STICKY) === 0) {
    throw refused(`others can write to ${printable(above)} (mode ${(mode & 0o7777).toString(8)})`);
  }
  return place;
}

async function assertFree(place: string): Promise<void> {
  try {
    const status = await lstat(place);
    if (status.isSymbolicLink()) throw refused(`${printable(place)} is a symbolic link`);
    if (!status.isDirectory() || (await readdir(place)).length > 0) throw refused(`${printable(place)} is not empty`);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
  }
}

function refused(reason: string, cause?: unknown): FemtoError {
  return new FemtoError("FEMTO_FORK_REFUSED", reason, { cause });
}
