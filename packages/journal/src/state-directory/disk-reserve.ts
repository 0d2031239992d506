/**
 * Room on the disk that is taken in good times and given up when the disk is full, so that what has
 * been promised can still be written: a file of real bytes beside the journal.
 */
import { randomFillSync } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { lstat, open, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { errorText, FemtoError, LIMITS, ownUser, printable, systemErrorCode } from "@femtoclaw/protocol";
import { syncFolder } from "./sync-folder.ts";

const MIB = 1_048_576;
/** LevelDB's opening writes what two logs hold to tables before it deletes them: 32 MiB and a group each. */
const REOPENING_BYTES = 80 * MIB;
/** What the queue holds when the disk fills: the group to write again, and intents and refusals behind it. */
const QUEUED_BYTES = 24 * MIB;
/** Files of LevelDB that are rounded up, checkpoints, and what the runtime says of itself until its end. */
const OWN_BYTES = 8 * MIB;
/** LIMIT: bytes of the reserve; all that is written between a full disk and the end of the last promised outcome. */
export const RESERVE_BYTES = REOPENING_BYTES + QUEUED_BYTES + LIMITS.outcomes * LIMITS.outcomeBytes + OWN_BYTES;
/** LIMIT: bytes that stay free when the reserve is taken, so that a disk on the brink does not flap, nor fill up by it. */
export const MARGIN_BYTES = 64 * MIB;

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;

/**
 * A file that holds room on the disk, and is given up when the disk is full, so that what was promised can still be
 * written.
 */
export class DiskReserve {
  readonly #folder: string;
  readonly #path: string;
  #isHeld: boolean;
  /** Whether what is being taken is to be finished. */
  #isWanted = true;
  /** Taking and giving up follow each other, whoever asks when. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(folder: string, path: string, isHeld: boolean) {
    this.#folder = folder;
    this.#path = path;
    this.#isHeld = isHeld;
  }

  /**
   * Looks at what an earlier host left in the state directory and takes nothing yet. Throws
   * FEMTO_STATE_OWNER for anything that no host leaves there.
   */
  static async open(folder: string): Promise<DiskReserve> {
    const path = join(folder, "reserve");
    const status = await lstat(path).catch((error: unknown) => {
      if (systemErrorCode(error) === "ENOENT") return null;
      throw new FemtoError("FEMTO_STATE_OWNER", `${printable(path)} cannot be examined: ${errorText(error)}`);
    });
    if (status !== null) assertOwn(path, status);
    return new DiskReserve(folder, path, status !== null && isWhole(status));
  }

  /** Whether the room is taken. */
  get held(): boolean {
    return this.#isHeld;
  }

  /** Bytes that this user could still write to the disk. */
  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#folder);
    return bavail * bsize;
  }

  /** Whether the room is taken, or could be. */
  async hasRoom(): Promise<boolean> {
    return this.#isHeld || (await this.freeBytes()) >= RESERVE_BYTES + MARGIN_BYTES;
  }

  /** Takes the room; false when the disk has not enough of it. Throws what else is wrong with the disk. */
  take(): Promise<boolean> {
    return this.#inTurn(() => this.#take());
  }

  /** Gives the room to whoever writes next, also what is taken just now. */
  async giveUp(): Promise<void> {
    this.#isWanted = false;
    await this.#inTurn(async () => {
      this.#isWanted = true;
      this.#isHeld = false;
      await rm(this.#path, { force: true });
    });
  }

  /** Takes no more; resolves once what was being taken is whole or gone. */
  async stop(): Promise<void> {
    this.#isWanted = false;
    await this.#last;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #take(): Promise<boolean> {
    if (this.#isHeld) return true;
    // What is not whole is what a crash left of it; its room counts as free.
    await rm(this.#path, { force: true });
    if (!(await this.hasRoom())) return false;
    try {
      if (!(await this.#write())) {
        await rm(this.#path, { force: true });
        return false;
      }
      await syncFolder(this.#folder);
    } catch (error) {
      await rm(this.#path, { force: true });
      if (["ENOSPC", "EDQUOT"].includes(systemErrorCode(error) ?? "")) return false;
      throw error;
    }
    this.#isHeld = true;
    return true;
  }

  /**
   * INVARIANT: the room is really taken: bytes that a file system can neither leave out nor compress, synced.
   * Returns false when it is not wanted any more.
   */
  async #write(): Promise<boolean> {
    const chunk = randomFillSync(Buffer.alloc(MIB));
    const file = await open(this.#path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      for (let left = RESERVE_BYTES; left > 0; ) {
        if (!this.#isWanted) return false;
        const { bytesWritten } = await file.write(chunk, 0, Math.min(left, chunk.length));
        left -= bytesWritten;
      }
      await file.sync();
      return true;
    } finally {
      await file.close();
    }
  }
}

// INVARIANT: only a file of this user is ever deleted or trusted as room; a link could stand for anything.
function assertOwn(path: string, status: Stats): void {
  const uid = ownUser();
  const wrong = status.isFile() ? null : status.isSymbolicLink() ? "a symbolic link" : "no regular file";
  const finding = wrong === null && status.uid !== uid ? `a file of user ${status.uid}` : wrong;
  if (finding === null) return;
  const fix = "Look who put it there, then remove it; the host makes its own.";
  throw new FemtoError("FEMTO_STATE_OWNER", `${printable(path)} is ${finding}`, { fix });
}

/** A file with holes, or with a second name, gives no room back when it is deleted. */
function isWhole({ size, blocks, nlink }: Stats): boolean {
  return size === RESERVE_BYTES && blocks * 512 >= RESERVE_BYTES && nlink === 1;
}
