/**
 * Private keys as files of their own folder, never inside the database. Whoever can read them can sign
 * history, so they are used only while they belong to this user alone.
 */
import { createPrivateKey, type KeyObject } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { type FileHandle, link, open, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { errorText, FemtoError, printable, systemErrorCode } from "@femtoclaw/protocol";
import { type Keyring, newPrivateKey } from "./keyring.ts";
import { syncFolder } from "./sync-folder.ts";

const GROUP_AND_OTHERS = 0o077;
const OWNER_ONLY = 0o600;
/** LIMIT: bytes of a key file; an Ed25519 key in PKCS#8 has 119. */
const KEY_BYTES_MAX = 4_096;

export class FileKeyring implements Keyring {
  readonly #folder: string;
  readonly #current: string;
  readonly #next: string;
  readonly #retired: string;

  /** `folder` exists and belongs to this user alone; `openStateDirectory` sees to that. */
  constructor(folder: string) {
    this.#folder = folder;
    this.#current = join(folder, "log.pem");
    this.#next = join(folder, "next.pem");
    this.#retired = join(folder, "retired.pem");
  }

  async current(): Promise<KeyObject | null> {
    const pem = await readPrivate(this.#current);
    if (pem === null) return null;
    const key = parseKey(pem);
    if (key !== null) return key;
    throw new FemtoError("FEMTO_KEY_MISMATCH", `${printable(this.#current)} holds no Ed25519 private key`);
  }

  async next(): Promise<KeyObject | null> {
    const pem = await readPrivate(this.#next);
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

  // INVARIANT: once there was a `log.pem` there always is one, and it is the old key or the new one, whole.
  async install(): Promise<void> {
    await this.#changing(async () => {
      await this.#destroyRetired();
      // A second name keeps the old key within reach after the new one has taken its place, to overwrite it.
      await link(this.#current, this.#retired).catch(unlessMissing);
      await rename(this.#next, this.#current);
      await syncFolder(this.#folder);
      await this.#destroyRetired();
    });
  }

  async discard(): Promise<void> {
    await this.#changing(() => this.#discard());
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

  async #destroyRetired(): Promise<void> {
    const [retired, current] = await Promise.all([identity(this.#retired), identity(this.#current)]);
    // A crash may have left the key in force with two names; overwriting one would destroy both.
    if (retired !== null && retired === current) await unlink(this.#retired);
    else await destroy(this.#retired);
  }
}

/** What is in the file, after the open file itself was found to be this user's alone; null where there is none. */
async function readPrivate(path: string): Promise<string | null> {
  const file = await openPrivate(path, constants.O_RDONLY);
  if (file === null) return null;
  try {
    const bytes = Buffer.alloc(KEY_BYTES_MAX);
    const { bytesRead } = await file.read(bytes, 0, KEY_BYTES_MAX, 0);
    return bytes.toString("latin1", 0, bytesRead);
  } finally {
    await file.close();
  }
}

async function openPrivate(path: string, access: number): Promise<FileHandle | null> {
  let file: FileHandle;
  try {
    // Not blocking, or a pipe in the file's place would keep the opener waiting for ever.
    file = await open(path, access | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return null;
    const reason =
      systemErrorCode(error) === "ELOOP" ? "is a symbolic link" : `cannot be opened: ${systemErrorCode(error)}`;
    throw new FemtoError("FEMTO_STATE_OWNER", `${printable(path)} ${reason}`, { cause: error });
  }
  try {
    assertPrivate(path, await file.stat());
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

// INVARIANT: a key is checked by its open descriptor, so that no other file can be put in its place meanwhile.
function assertPrivate(path: string, status: Stats): void {
  const name = printable(path, path.length);
  const uid = process.geteuid?.() ?? status.uid;
  if (!status.isFile()) throw new FemtoError("FEMTO_STATE_OWNER", `${name} is not a regular file`);
  if (status.uid !== uid) {
    throw new FemtoError("FEMTO_STATE_OWNER", `${name} belongs to user ${status.uid}, this process to user ${uid}`);
  }
  if ((status.mode & GROUP_AND_OTHERS) !== 0) {
    const mode = (status.mode & 0o777).toString(8).padStart(3, "0");
    const fix = `Run chmod 600 ${name}; if others could read the key, run \`femtoclaw keys rotate\` afterwards.`;
    throw new FemtoError("FEMTO_STATE_MODE", `${name} has mode ${mode}`, { fix });
  }
}

/** Overwrites the file before it gives up its name. Some disks keep old blocks nevertheless; nothing here can help that. */
async function destroy(path: string): Promise<void> {
  const file = await openPrivate(path, constants.O_RDWR);
  if (file === null) return;
  try {
    const { size } = await file.stat();
    await file.write(Buffer.alloc(size), 0, size, 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await unlink(path);
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
