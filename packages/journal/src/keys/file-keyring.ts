/**
 * Private keys as files in a folder of their own, never inside the database. Anybody who can read them can sign
 * history, so they are used only while they belong to this user alone.
 */
import { createPrivateKey, type KeyObject } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, link, open, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { errorText, FemtoError, hasNoHardLinks, printable, systemErrorCode } from "@femtoclaw/protocol";
import { syncFolder } from "../state-directory/sync-folder.ts";
import { type Keyring, newPrivateKey } from "./keyring.ts";
import { openPrivate, readPrivate } from "./private-file.ts";

const OWNER_ONLY = 0o600;
/** LIMIT: bytes of a key file; an Ed25519 key in PKCS#8 has 119. */
const KEY_BYTES_MAX = 4_096;
const ROTATE = "; if others could read the key, run `femtoclaw keys rotate` afterwards";

/** Keys of a log as files in a folder, each of mode 0600. */
export class FileKeyring implements Keyring {
  readonly #folder: string;
  readonly #current: string;
  readonly #next: string;
  readonly #retired: string;

  /** `folder` exists and belongs to this user alone; `openStateDirectory` ensures that. */
  constructor(folder: string) {
    this.#folder = folder;
    this.#current = join(folder, "log.pem");
    this.#next = join(folder, "next.pem");
    this.#retired = join(folder, "retired.pem");
  }

  async current(): Promise<KeyObject | null> {
    const pem = await readPrivate(this.#current, KEY_BYTES_MAX, ROTATE);
    if (pem === null) return null;
    const key = parseKey(pem);
    if (key !== null) return key;
    throw new FemtoError("FEMTO_KEY_MISMATCH", `${printable(this.#current)} holds no Ed25519 private key`);
  }

  async next(): Promise<KeyObject | null> {
    const pem = await readPrivate(this.#next, KEY_BYTES_MAX, ROTATE);
    return pem === null ? null : parseKey(pem);
  }

  async prepare(): Promise<KeyObject> {
    return await this.#changing(async () => {
      await this.#discard();
      const key = newPrivateKey();
      const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
      const file = await open(this.#next, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, OWNER_ONLY);
      try {
        await file.writeFile(key.export({ type: "pkcs8", format: "pem" }));
        await file.sync();
      } finally {
        await file.close();
      }
      await syncFolder(this.#folder);
      return key;
    });
  }

  // INVARIANT: once `log.pem` exists it always does, and it is either the old key or the new one, whole.
  async install(): Promise<void> {
    await this.#changing(async () => {
      await this.#destroyRetired();
      await using old = await this.#keepReachable();
      await rename(this.#next, this.#current);
      await syncFolder(this.#folder);
      if (old !== null) await overwrite(old);
      await this.#destroyRetired();
    });
  }

  async discard(): Promise<void> {
    await this.#changing(() => this.#discard());
  }

  /** Destroys every key, because the log continues elsewhere or not at all. */
  async destroy(): Promise<void> {
    await this.#changing(async () => {
      await this.#discard();
      await destroy(this.#current);
      await syncFolder(this.#folder);
    });
  }

  async #discard(): Promise<void> {
    await destroy(this.#next);
    await this.#destroyRetired();
    await syncFolder(this.#folder);
  }

  async #changing<T>(change: () => Promise<T>): Promise<T> {
    try {
      return await change();
    } catch (error) {
      if (error instanceof FemtoError) throw error;
      const reason = `${printable(this.#folder)} cannot be changed: ${systemErrorCode(error) ?? errorText(error)}`;
      throw new FemtoError("FEMTO_JOURNAL_WRITE_FAILED", reason, { cause: error });
    }
  }

  /**
   * Keeps the old key reachable after the new one has replaced it, so that the old one can be overwritten. A second name
   * does that even after a crash. Where the file system has none, the returned open file does it.
   */
  async #keepReachable(): Promise<FileHandle | null> {
    try {
      await link(this.#current, this.#retired);
    } catch (error) {
      if (hasNoHardLinks(error)) return await openPrivate(this.#current, constants.O_RDWR, ROTATE);
      unlessMissing(error);
    }
    return null;
  }

  async #destroyRetired(): Promise<void> {
    const [retired, current] = await Promise.all([identity(this.#retired), identity(this.#current)]);
    // A crash may have left the key in force under both names. Overwriting one would destroy both.
    if (retired !== null && retired === current) await unlink(this.#retired);
    else await destroy(this.#retired);
  }
}

/** Overwrites the file before unlinking it. Some disks keep old blocks nevertheless, which cannot be prevented here. */
async function destroy(path: string): Promise<void> {
  const file = await openPrivate(path, constants.O_RDWR, ROTATE);
  if (file === null) return;
  try {
    await overwrite(file);
  } finally {
    await file.close();
  }
  await unlink(path);
}

async function overwrite(file: FileHandle): Promise<void> {
  const { size, nlink } = await file.stat();
  // A backup may be a hard link to this very file, and still need it.
  if (nlink > 1) return;
  await file.write(Buffer.alloc(size), 0, size, 0);
  await file.sync();
}

async function identity(path: string): Promise<string | null> {
  try {
    const { dev, ino } = await stat(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    return unlessMissing(error);
  }
}

function unlessMissing(error: unknown): null {
  if (systemErrorCode(error) === "ENOENT") return null;
  throw error;
}

function parseKey(pem: string): KeyObject | null {
  try {
    const key = createPrivateKey(pem);
    return key.asymmetricKeyType === "ed25519" ? key : null;
  } catch {
    return null;
  }
}
