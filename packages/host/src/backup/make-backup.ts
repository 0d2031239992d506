/**
 * Makes a backup of a state directory: its log up to a signed checkpoint with the values beside it, the logs before it,
 * and the configuration. The logs are verified, the backup is written and read back, and only then is it given its
 * name.
 */
import { constants } from "node:fs";
import { type FileHandle, link, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { type LogVerdict, syncFolder, TilesReader } from "@femtoclaw/journal";
import type { RememberedLog } from "@femtoclaw/journal/known-log";
import { errorText, FemtoError, hasNoHardLinks, printable, systemErrorCode, VERSION } from "@femtoclaw/protocol";
import { placeInOwnFolder, WorkFolder } from "@femtoclaw/runtime/epochs";
import type { LoadedConfiguration } from "../configuration/load-configuration.ts";
import { CONFIGURATION_NAME, POLICY_FOLDER, readProjectFiles } from "../configuration/project-files.ts";
import { isBelow, refuseReached } from "../configuration/reached-by-calls.ts";
import type { During } from "../terminal/progress.ts";
import { ArchiveWriter, readArchive } from "./archive.ts";
import {
  type BackedUpLog,
  type BackupManifest,
  checkDigest,
  DIGEST_FILE,
  LOGS_FOLDER,
  MANIFEST_FILE,
  newManifest,
  PRIVATE_ENDING,
  PROJECT_FOLDER,
} from "./manifest.ts";
import { assertAllStand, assertStands, isPartOfLog, namesOfLogs } from "./old-logs.ts";

export interface BackupRequest {
  readonly loaded: LoadedConfiguration;
  /** Absolute path of a file that does not exist yet, or of a folder in which one is made. */
  readonly out: string;
  /** Whether key files and stored secrets go into a file of their own. */
  readonly withKeys: boolean;
  /** What was seen of the log before. */
  readonly known: RememberedLog | null;
  /** Writes the log, as an export with values, into a folder that is not there yet. */
  exportLog(folder: string): Promise<{ readonly unsigned: number }>;
  readonly during: During;
  say(line: string): void;
}

export interface MadeBackup {
  readonly file: string;
  /** The file with keys and secrets; null if none was asked for. */
  readonly keys: string | null;
  readonly bytes: number;
  readonly manifest: BackupManifest;
  /** Number of records after the last checkpoint, which are not in the backup. */
  readonly unsigned: number;
}

export async function makeBackup(request: BackupRequest): Promise<MadeBackup> {
  const { loaded, say } = request;
  const file = await placeOf(request.out, loaded);
  const keys = request.withKeys ? `${file}${PRIVATE_ENDING}` : null;
  for (const path of [file, ...(keys === null ? [] : [keys])]) await assertNothingAt(path);
  try {
    await using work = await WorkFolder.open(dirname(file), "backup", say);
    const made = await gather(request, work.path);
    const archive = join(work.path, "archive");
    const { bytes, manifest } = await request.during("writing the backup", () => write(archive, made));
    await request.during("reading the backup back", () => assertReadable(archive));
    if (keys !== null) {
      const secret = join(work.path, "private");
      await write(secret, {
        ...made,
        kind: "keys",
        files: await privateFiles(loaded.resolved.stateDirectory),
        texts: [],
      });
      await assertReadable(secret);
      await giveName(secret, keys);
    }
    try {
      await giveName(archive, file);
    } catch (error) {
      // Nobody would miss a file of keys that has no backup, but sooner or later somebody would find it.
      if (keys !== null) await rm(keys, { force: true });
      throw error;
    }
    return { file, keys, bytes, manifest, unsigned: made.unsigned };
  } catch (error) {
    if (error instanceof FemtoError) throw error;
    const reason = `${printable(file, 4_096)} cannot be written: ${systemErrorCode(error) ?? errorText(error)}`;
    throw new FemtoError("FEMTO_BACKUP_FAILED", reason, { cause: error });
  }
}

interface Gathered extends Pick<BackupManifest, "kind" | "log" | "epoch" | "deployment"> {
  /** Files by their paths in the archive. */
  readonly files: readonly { readonly path: string; readonly from: string; readonly staged: boolean }[];
  readonly texts: readonly { readonly path: string; readonly bytes: Uint8Array }[];
  readonly unsigned: number;
}

async function gather(request: BackupRequest, work: string): Promise<Gathered> {
  const { loaded, known, during } = request;
  const kept = join(loaded.resolved.stateDirectory, LOGS_FOLDER);
  const older = await namesOfLogs(kept);
  const epoch = String(Number(older.at(-1) ?? "0") + 1);
  const staged = join(work, LOGS_FOLDER);
  await mkdir(staged, { mode: 0o700 });
  const log = join(staged, epoch);
  const { unsigned } = await during("exporting the log", () => request.exportLog(log));
  const expected = known === null ? {} : { pinned: known.firstKey, checkpoint: known.checkpoint };
  const verdict = await during("verifying the log", () => assertStands(log, "FEMTO_JOURNAL_CORRUPT", expected));
  const before = older.map((name) => join(kept, name));
  await during("verifying the logs before it", () => assertAllStand(before, log, "FEMTO_JOURNAL_CORRUPT"));
  const project = readProjectFiles(loaded.path);
  if (project.sha256 !== loaded.sha256)
    throw new FemtoError("FEMTO_BACKUP_FAILED", "the configuration changed meanwhile");
  const texts = [
    { path: `${PROJECT_FOLDER}/${CONFIGURATION_NAME}`, bytes: project.configuration },
    ...[...project.policy].map(([name, bytes]) => ({ path: `${PROJECT_FOLDER}/${POLICY_FOLDER}/${name}`, bytes })),
  ];
  const files = [
    ...(await filesBelow(kept)).filter(({ path }) => isPartOfLog(path)).map((file) => ({ ...file, staged: false })),
    ...(await filesBelow(staged)).map((file) => ({ ...file, staged: true })),
  ].map((file) => ({ ...file, path: `${LOGS_FOLDER}/${file.path}` }));
  const deployment = await deploymentIn(log);
  return { kind: "backup", log: logOf(verdict), epoch, deployment, files, texts, unsigned };
}

function logOf({ keys, size, root }: LogVerdict): BackedUpLog {
  const first = keys[0]?.vkey ?? "";
  return { origin: first.slice(0, first.indexOf("+")), first_key: first, size, root };
}

/** The digest of the deployment that the last boot recorded. */
async function deploymentIn(log: string): Promise<string | null> {
  await using reader = await TilesReader.open(log);
  for await (const { type, body } of reader.readBackwards(await reader.prunedBefore(), reader.size)) {
    if (type === "boot.started") return body.deployment?.digest ?? null;
  }
  return null;
}

async function write(archive: string, made: Gathered): Promise<{ bytes: number; manifest: BackupManifest }> {
  const now = new Date();
  const handle = await open(archive, "wx", 0o600);
  try {
    const writer = new ArchiveWriter(handle, now.getTime());
    const { kind, log, epoch, deployment } = made;
    const manifest = newManifest({ kind, at: now.toISOString(), version: VERSION, log, epoch, deployment });
    await writer.add(MANIFEST_FILE, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
    for (const { path, bytes } of made.texts) await writer.add(path, bytes);
    for (const { path, from, staged } of made.files) {
      await addOne(writer, path, from);
      // A staged file is not needed any more once it is in the archive, and the disk may have no room for both.
      if (staged) await rm(from);
    }
    await writer.add(DIGEST_FILE, Buffer.from(`${writer.sha256}\n`));
    await writer.end();
    return { bytes: (await handle.stat()).size, manifest };
  } finally {
    await handle.close();
  }
}

async function addOne(writer: ArchiveWriter, path: string, from: string): Promise<void> {
  await using handle = await openPlain(from);
  await writer.addFile(path, handle);
}

/** INVARIANT: a link or a device in the place of a file is never followed into a backup. */
async function openPlain(path: string): Promise<FileHandle> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new FemtoError("FEMTO_BACKUP_FAILED", `${printable(path, 4_096)} is no regular file`);
}

/** Reads back from the disk what was written, and checks it against its digest. */
async function assertReadable(archive: string): Promise<void> {
  await using handle = await openPlain(archive);
  let last = "";
  for await (const entry of readArchive(handle, (await handle.stat()).size)) {
    last = entry.path;
    if (last === DIGEST_FILE) await checkDigest(entry);
    else for await (const _ of entry.content);
  }
  if (last !== DIGEST_FILE) throw new FemtoError("FEMTO_BACKUP_FAILED", "what was written cannot be read back");
}

async function privateFiles(stateDirectory: string): Promise<Gathered["files"]> {
  const keys = (await filesBelow(join(stateDirectory, "keys"))).map(({ path, from }) => ({
    path: `keys/${path}`,
    from,
  }));
  const secrets = join(stateDirectory, "secrets.json");
  const isThere = await stat(secrets).then(
    () => true,
    () => false,
  );
  const all = [...keys, ...(isThere ? [{ path: "secrets.json", from: secrets }] : [])];
  return all.map((file) => ({ ...file, staged: false }));
}

async function filesBelow(folder: string): Promise<readonly { readonly path: string; readonly from: string }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw error;
  });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => ({ path: relative(folder, join(parentPath, name)), from: join(parentPath, name) }))
    .sort((left, right) => (left.path < right.path ? -1 : 1));
}

/** INVARIANT: I8: a backup holds every record, so it never lies where a call could read it. */
async function placeOf(out: string, { resolved }: LoadedConfiguration): Promise<string> {
  const isFolder = await stat(out).then(
    (status) => status.isDirectory(),
    () => false,
  );
  const name = `femtoclaw-${new Date().toISOString().replace(/[-:]|\.\d+/g, "")}.backup`;
  const place = await placeInOwnFolder(isFolder ? join(out, name) : out, "FEMTO_BACKUP_FAILED");
  // The work folder and the file of the keys lie in the same folder under names of their own, so that folder is checked
  // as well.
  for (const path of [place, `${place}${PRIVATE_ENDING}`, dirname(place)]) {
    refuseReached(path, resolved.authority, "FEMTO_BACKUP_FAILED");
  }
  if (!isBelow(place, resolved.stateDirectory)) return place;
  throw new FemtoError("FEMTO_BACKUP_FAILED", `${printable(place, 4_096)} lies in what it would be a backup of`);
}

async function assertNothingAt(path: string): Promise<void> {
  const names = await readdir(dirname(path));
  if (names.includes(basename(path))) throw taken(path);
}

/** INVARIANT: the name of a backup stands for a whole backup or for nothing, and never replaces anything else. */
async function giveName(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST") throw taken(to);
    if (!hasNoHardLinks(error)) throw error;
    await assertNothingAt(to);
    await rename(from, to);
  }
  try {
    await syncFolder(dirname(to));
  } catch (error) {
    await rm(to);
    throw error;
  }
}

function taken(path: string): FemtoError {
  return new FemtoError("FEMTO_BACKUP_FAILED", `${printable(path, 4_096)} exists already`);
}
