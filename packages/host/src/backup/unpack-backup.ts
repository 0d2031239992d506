/**
 * Unpacks a backup into a folder of this user alone, and believes nothing in it. Before anything is put in place, all
 * of it is compared with its digest to the byte, and every log in it is verified.
 */
import { constants, existsSync, type Stats } from "node:fs";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { LogVerdict } from "@femtoclaw/journal";
import { errorText, FemtoError, ownUser, printable, systemErrorCode } from "@femtoclaw/protocol";
import { type ArchiveEntry, damaged, readArchive } from "./archive.ts";
import { type BackupManifest, checkDigest, DIGEST_FILE, LOGS_FOLDER, readManifest } from "./manifest.ts";
import { assertAllStand, assertStands, isPartOfLog, namesOfLogs } from "./old-logs.ts";

const OWNER_ALL = 0o700;
const OTHERS_WRITE = 0o022;
const LOGS = `${LOGS_FOLDER}/`;
const OF_PROJECT = /^project\/(?:femtoclaw\.toml$|policy\/)/;
const OF_KEYS = /^(?:keys\/[a-z]+\.pem|secrets\.json)$/;
/** What each kind of file may hold; nothing else is accepted. */
const HOLDS: Readonly<Record<BackupManifest["kind"], (path: string) => boolean>> = {
  backup: (path) => OF_PROJECT.test(path) || (path.startsWith(LOGS) && isPartOfLog(path.slice(LOGS.length))),
  keys: (path) => OF_KEYS.test(path),
};

/** Unpacks `file` into the folder, which exists and is empty. */
export async function unpackBackup(file: string, into: string, kind: BackupManifest["kind"]): Promise<BackupManifest> {
  await using handle = await openBackup(file);
  const { size } = await handle.stat();
  try {
    let manifest: BackupManifest | null = null;
    let isWhole = false;
    for await (const entry of readArchive(handle, size)) {
      if (isWhole) throw damaged(`${printable(entry.path)} follows its digest`);
      if (manifest === null) manifest = await readManifest(entry);
      else if (HOLDS[kind](entry.path)) await writeOut(entry, into);
      else if (entry.path === DIGEST_FILE) {
        await checkDigest(entry);
        isWhole = true;
      } else throw damaged(`${printable(entry.path)} is no part of it`);
    }
    if (manifest?.kind !== kind || !isWhole) throw damaged(`it is no whole file of the kind \`${kind}\``);
    return manifest;
  } catch (error) {
    if (!(error instanceof FemtoError)) throw unwritten(into, error);
    if (error.code !== "FEMTO_BACKUP_DAMAGED") throw error;
    throw damaged(`${printable(file, 4_096)}: ${error.message}`, error);
  }
}

/**
 * Verifies every unpacked log, and that the newest one is what the manifest says; resolves with the verdict on that
 * one.
 */
export async function verifyUnpacked(
  folder: string,
  { log, epoch }: BackupManifest,
  pinned: string | undefined,
): Promise<LogVerdict> {
  const logs = join(folder, LOGS_FOLDER);
  const names = await namesOfLogs(logs);
  if (names.at(-1) !== epoch || existsSync(join(logs, epoch, "journal")))
    throw damaged(`the log ${epoch} is not in it, or is not its newest`);
  const before = names.slice(0, -1).map((name) => join(logs, name));
  await assertAllStand(before, join(logs, epoch), "FEMTO_BACKUP_DAMAGED");
  const expected = pinned === undefined ? {} : { pinned };
  const verdict = await assertStands(join(logs, epoch), "FEMTO_BACKUP_DAMAGED", expected);
  const { size, root, signedSize, keys } = verdict;
  const isAsSaid = size === log.size && root === log.root && keys[0]?.vkey === log.first_key;
  if (!isAsSaid || signedSize !== size) throw damaged("its log is not the one that it says");
  return verdict;
}

async function writeOut({ path, content }: ArchiveEntry, into: string): Promise<void> {
  const to = join(into, path);
  await mkdir(dirname(to), { recursive: true, mode: OWNER_ALL });
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
  await using handle = await open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  for await (const chunk of content) await handle.writeFile(chunk);
}

/** INVARIANT: what is restored was written by this user or root, and nobody else could have changed it since. */
async function openBackup(file: string): Promise<FileHandle> {
  const name = printable(file, 4_096);
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(file, flags).catch((error: unknown) => {
    const code = systemErrorCode(error) ?? errorText(error);
    const finding = code === "ELOOP" ? "is a symbolic link" : `cannot be opened (${code})`;
    throw refused(`${name} ${finding}`, "Name the file itself.", error);
  });
  const problem = problemOf(await handle.stat());
  if (problem === null) return handle;
  await handle.close();
  throw refused(`${name} ${problem}`, "Find out who wrote it; then make it yours alone with chown and chmod 600.");
}

function problemOf(status: Stats): string | null {
  const me = ownUser();
  if (!status.isFile()) return "is no regular file";
  if (status.uid !== me && status.uid !== 0) return `belongs to user ${status.uid}`;
  return (status.mode & OTHERS_WRITE) === 0
    ? null
    : `can be changed by others (mode ${(status.mode & 0o777).toString(8)})`;
}

/** Writing fails because two things in the backup have the same name, or because the disk takes no more. */
function unwritten(into: string, error: unknown): FemtoError {
  const code = systemErrorCode(error) ?? errorText(error);
  if (/^(?:EEXIST|ENOTDIR|EISDIR|ENAMETOOLONG)$/.test(code))
    return damaged(`its files do not fit beside each other: ${code}`);
  return refused(`${printable(into, 4_096)} cannot be written: ${code}`, "Use a disk with room.", error);
}

export function refused(reason: string, fix?: string, cause?: unknown): FemtoError {
  return new FemtoError("FEMTO_RESTORE_REFUSED", reason, { cause, ...(fix === undefined ? {} : { fix }) });
}
