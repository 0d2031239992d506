/** Verifies the journal of a stopped host. It works on a copy, because LevelDB rewrites what it opens. */
import { constants } from "node:fs";
import { copyFile, link, lstat, mkdir, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorText, FemtoError, hasNoHardLinks, printable, systemErrorCode } from "@femtoclaw/protocol";
import { lockFile } from "../state-directory/file-lock.ts";
import { isFarFromNow } from "../state-directory/replace-file.ts";
import { temporaryFolder } from "../state-directory/temporary-folder.ts";
import { isForbidden, unreadable } from "../store/leveldb/leveldb-files.ts";
import { LeveldbStore, type LeveldbStoreOptions } from "../store/leveldb/leveldb-store.ts";
import { encodeBase64 } from "../tree/base64.ts";
import { EMPTY_ROOT } from "../tree/hashing.ts";
import { StoreSource } from "./log-source.ts";
import { type LogVerdict, type VerifyOptions, verifyLog } from "./verify-log.ts";

/** A copy of a stopped journal. Disposing of it deletes the copy. */
interface VerificationCopy extends AsyncDisposable {
  readonly directory: string;
  /** False if not one file of a database was found, so that what is opened is a new and empty one. */
  readonly holdsLog: boolean;
  /** Opens the copy; the caller closes the store. Errors about a file name the original file. */
  open(options?: LeveldbStoreOptions): Promise<{ readonly store: LeveldbStore; readonly size: number }>;
}

const COPY_PREFIX = "femtoclaw-verify-";
const COPY = /^femtoclaw-verify-[A-Za-z0-9]{6}$/;
/**
 * LIMIT: age in milliseconds from which a copy that nobody holds counts as abandoned. It covers the moment before a new
 * copy is locked.
 */
const FORGOTTEN_MS = 3_600_000;
/** Beside the files of the copy, so that the copy contains only what the original does. */
const COPY_LOCK = "lock";
const COPY_FOLDER = "journal";

/** LevelDB never changes these files once they are written, so a hard link is as good as a copy. */
const TABLE = /^\d+\.(?:ldb|sst)$/;
const OTHER_FILES = /^(?:\d+\.log|MANIFEST-\d+|CURRENT)$/;

/**
 * Makes a private copy of the files that LevelDB relies on. Throws FEMTO_JOURNAL_LOCKED while a host has the journal
 * open.
 */
export async function copyForVerification(journalDirectory: string): Promise<VerificationCopy> {
  const names = await readdir(journalDirectory).catch((error: unknown) => {
    const code = systemErrorCode(error) ?? errorText(error);
    if (isForbidden(code)) throw unreadable(journalDirectory, error);
    const why = code === "ENOENT" ? "does not exist" : `cannot be read: ${code}`;
    throw new FemtoError("FEMTO_STATE_NOT_FOUND", `${printable(journalDirectory)} ${why}`, { cause: error });
  });
  await LeveldbStore.refuseIfOpen(journalDirectory);
  await removeForgottenCopies();
  const holdsLog = names.some(isOfDatabase);
  const folder = await temporaryFolder(COPY_PREFIX);
  const directory = join(folder, COPY_FOLDER);
  let lock: Disposable | null = null;
  const remove = async (): Promise<void> => {
    lock?.[Symbol.dispose]();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    lock = lockFile(join(folder, COPY_LOCK));
    await mkdir(directory, 0o700);
    for (const name of names) await copyOne(join(journalDirectory, name), name, directory);
    return { directory, holdsLog, open: openedCopy(directory, journalDirectory), [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    if (error instanceof FemtoError) throw error;
    const code = systemErrorCode(error) ?? errorText(error);
    if (isForbidden(code)) throw unreadable(journalDirectory, error);
    const fix = `Set TMPDIR to a folder on a disk with room for all of ${printable(journalDirectory, 4_096)}.`;
    const reason = `${printable(journalDirectory)} cannot be copied: ${code}`;
    throw new FemtoError("FEMTO_EXPORT_FAILED", reason, { fix, cause: error });
  }
}

/**
 * Removes the copies of verifications that were killed, which nobody else would look for. INVARIANT: a copy in use is
 * not touched, wherever somebody sets the clock: its lock is held from its first moment on. A version before 0.20.0 only
 * lets LevelDB hold a lock.
 */
async function removeForgottenCopies(): Promise<void> {
  const names = await readdir(tmpdir()).catch(() => []);
  for (const name of names.filter((found) => COPY.test(found))) {
    const path = join(tmpdir(), name);
    try {
      const found = await lstat(path);
      if (!found.isDirectory() || found.uid !== process.getuid?.()) continue;
      if (!isFarFromNow(found.mtimeMs, FORGOTTEN_MS)) continue;
      await LeveldbStore.refuseIfOpen(path);
      using lock = lockFile(join(path, COPY_LOCK));
      if (lock !== null) await rm(path, { recursive: true, force: true });
    } catch {
      // The copy is in use, or somebody else removes it at this moment. Either way nothing depends on its removal.
    }
  }
}

const isOfDatabase = (name: string): boolean => TABLE.test(name) || OTHER_FILES.test(name);

async function copyOne(from: string, name: string, directory: string): Promise<void> {
  if (!isOfDatabase(name)) return;
  if (!(await lstat(from)).isFile()) {
    throw new FemtoError("FEMTO_JOURNAL_CORRUPT", `${printable(from)} is not a regular file`);
  }
  const to = join(directory, name);
  if (TABLE.test(name)) {
    try {
      return await link(from, to);
    } catch (error) {
      // Hard links do not reach other file systems.
      if (systemErrorCode(error) !== "EXDEV" && !hasNoHardLinks(error)) throw error;
    }
  }
  await copyFile(from, to, constants.COPYFILE_FICLONE);
}

const LOST = "it contains neither the files of a journal's database nor an exported tree with its checkpoint";

/** Runs `verifyLog` over a copy of the directory. Files that LevelDB could not rely on lead to a verdict too. */
export async function verifyDirectory(
  journalDirectory: string,
  options: Omit<VerifyOptions, "source"> = {},
): Promise<LogVerdict> {
  try {
    await using copy = await copyForVerification(journalDirectory);
    // A verification has time to read every table, which a start has not.
    const { store, size } = await copy.open({ tableBytesMax: Number.POSITIVE_INFINITY });
    try {
      const verdict = await verifyLog({ ...options, source: new StoreSource(store, size) });
      if (copy.holdsLog) return verdict;
      // Where nothing is known of the log, a lost one looks like one that has not begun. Where a witness knows of it, the
      // folder may also be the wrong one.
      const known = verdict.verdict === "incomplete" ? "" : `${verdict.fault?.reason}; `;
      return { ...verdict, fault: { seq: 0, reason: `${known}${printable(journalDirectory)} holds no log: ${LOST}` } };
    } finally {
      await store.close();
    }
  } catch (error) {
    if (!(error instanceof FemtoError)) throw error;
    if (error.code === "FEMTO_JOURNAL_FORMAT") return unread("unverifiable", error.message, options);
    if (error.code === "FEMTO_JOURNAL_CORRUPT") return unread("tampered", error.message, options);
    throw error;
  }
}

/** Opens the copy, but names the original files in errors: the copy is gone by the time somebody reads the message. */
function openedCopy(directory: string, original: string): VerificationCopy["open"] {
  return async (options) => {
    const store = new LeveldbStore(directory, options);
    try {
      return { store, size: (await store.open()).size };
    } catch (error) {
      if (!(error instanceof FemtoError)) throw error;
      const { code, fix } = error;
      throw new FemtoError(code, error.message.replaceAll(directory, printable(original)), { fix, cause: error });
    }
  };
}

function unread(
  verdict: LogVerdict["verdict"],
  reason: string,
  { pinned, held = [] }: Omit<VerifyOptions, "source">,
): LogVerdict {
  return {
    size: 0,
    root: encodeBase64(EMPTY_ROOT),
    signedSize: 0,
    witnessedSize: held.some(({ witnessed }) => witnessed) ? 0 : null,
    unsignedTail: 0,
    keys: [],
    signedAnswers: 0,
    pinned: pinned === undefined ? "absent" : "differs",
    verdict,
    fault: { seq: 0, reason },
    prunedBefore: 0,
    caveats: [],
  };
}
