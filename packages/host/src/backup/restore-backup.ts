/** Makes a state directory, and on request a project, from a backup: as a whole, or not at all. */
import { cp, mkdir, rename } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { beginsWith, type Checkpoint, syncTree, TilesReader } from "@femtoclaw/journal";
import type { RememberedLog } from "@femtoclaw/journal/known-log";
import { errorText, FemtoError, printable, systemErrorCode } from "@femtoclaw/protocol";
import { freePlace, putInPlace, type RestoredLog, restoreLog, WorkFolder } from "@femtoclaw/runtime/epochs";
import type { During } from "../terminal/progress.ts";
import { type BackupManifest, LOGS_FOLDER, PROJECT_FOLDER } from "./manifest.ts";
import { refused, unpackBackup, verifyUnpacked } from "./unpack-backup.ts";

export interface RestoreRequest {
  /** Absolute paths. */
  readonly file: string;
  readonly state: string;
  /** File with the stored secrets that go with the backup. */
  readonly keys: string | null;
  /** Where the configuration and its policy are put; null for nowhere. */
  readonly project: string | null;
  /** Public key that was kept elsewhere. */
  readonly pinned: string | undefined;
  /** What was seen before of the log in that state directory. */
  readonly known: RememberedLog | null;
  readonly during: During;
  say(line: string): void;
}

export interface RestoredState extends RestoredLog {
  readonly directory: string;
  readonly project: string | null;
  readonly manifest: BackupManifest;
  /** Folder of the log that was backed up. */
  readonly oldLog: string;
}

const OWNER_ALL = 0o700;

export async function restoreBackup(request: RestoreRequest): Promise<RestoredState> {
  const directory = await freePlace(request.state, "FEMTO_RESTORE_REFUSED");
  const project = request.project === null ? null : await freePlace(request.project, "FEMTO_RESTORE_REFUSED");
  if (project !== null) assertApart(directory, project);
  try {
    await using work = await WorkFolder.open(dirname(directory), "restore", request.say);
    const root = join(work.path, "state");
    await mkdir(root, { mode: OWNER_ALL });
    const { during } = request;
    const manifest = await during("unpacking the backup", () => unpackBackup(request.file, root, "backup"));
    assertKnown(request, manifest);
    const verdict = await during("verifying its logs", () => verifyUnpacked(root, manifest, request.pinned));
    const kept = join(work.path, PROJECT_FOLDER);
    await rename(join(root, PROJECT_FOLDER), kept);
    if (request.keys !== null) await takeSecrets(request.keys, work.path, root, manifest);
    const { epoch } = manifest;
    const restored = await during("opening a new epoch", () => restoreLog({ root, epoch, verdict }));
    await syncTree(root);
    // INVARIANT: the places that the operator named hold a whole result, or nothing.
    const putState = (): Promise<void> => putInPlace(root, directory);
    await (project === null ? putState() : withProject(kept, project, request.say, putState));
    return { ...restored, directory, project, manifest, oldLog: join(directory, LOGS_FOLDER, epoch) };
  } catch (error) {
    throw unwritten(directory, error);
  }
}

function unwritten(path: string, error: unknown): FemtoError {
  if (error instanceof FemtoError) return error;
  const code = systemErrorCode(error) ?? errorText(error);
  // Somebody else has put something there since the place was looked at, such as another restore.
  if (code === "ENOTEMPTY" || code === "EEXIST")
    return refused(`${printable(path, 4_096)} is not empty`, undefined, error);
  const fix = code === "ENOSPC" || code === "EDQUOT" ? "Use a disk with room." : undefined;
  return refused(`${printable(path, 4_096)} cannot be written: ${code}`, fix, error);
}

/** Whether the restored log begins with what was seen. If not, everyone who saw it has to be told. */
export async function heldInBackup(oldLog: string, seen: Checkpoint): Promise<boolean> {
  await using reader = await TilesReader.open(oldLog);
  return await beginsWith(reader, seen);
}

/**
 * Refuses a log whose key is not the remembered one, unless the operator names its key. It may be the right log, but
 * only the operator can say so.
 */
function assertKnown({ pinned, known }: RestoreRequest, { log }: BackupManifest): void {
  if (pinned !== undefined || known === null || known.firstKey === log.first_key) return;
  const fix =
    "If it is the right backup, name the public key of its log with --key, or forget what was seen with `femtoclaw audit forget`.";
  throw refused(`the backup is of another log than ${known.origin}, which was seen there at ${known.seenAt}`, fix);
}

async function takeSecrets(file: string, work: string, root: string, { log }: BackupManifest): Promise<void> {
  const folder = join(work, "private");
  await mkdir(folder, { mode: OWNER_ALL });
  const { log: its } = await unpackBackup(file, folder, "keys");
  if (its.first_key !== log.first_key)
    throw refused(`${printable(file, 4_096)} goes with another log, ${printable(its.origin)}`);
  await rename(join(folder, "secrets.json"), join(root, "secrets.json")).catch((error: unknown) => {
    // No secrets were stored when the backup was made.
    if (systemErrorCode(error) !== "ENOENT") throw error;
  });
}

/** Each of the two is moved to its place in one step, which needs an empty place, so neither may lie in the other. */
function assertApart(directory: string, project: string): void {
  const [inner, outer] = directory.length > project.length ? [directory, project] : [project, directory];
  if (inner !== outer && !inner.startsWith(`${outer}/`)) return;
  const fix = "Name two folders, neither of which is inside the other.";
  throw refused(`the state directory and the project cannot both be made: ${printable(inner, 4_096)}`, fix);
}

/**
 * Puts the project in its place, then does the rest, and takes the project away again if the rest fails. The project is
 * prepared beside its place, because that may be on another disk.
 */
async function withProject(
  from: string,
  project: string,
  say: (line: string) => void,
  rest: () => Promise<void>,
): Promise<void> {
  const work = await WorkFolder.open(dirname(project), "restore", say).catch((error: unknown) => {
    throw unwritten(project, error);
  });
  await using _ = work;
  const made = join(work.path, basename(project));
  try {
    await cp(from, made, { recursive: true, errorOnExist: true, force: false });
    await syncTree(made);
    await putInPlace(made, project);
  } catch (error) {
    throw unwritten(project, error);
  }
  try {
    await rest();
  } catch (error) {
    await rename(project, made);
    throw error;
  }
}
