/**
 * A file of real bytes beside the journal that reserves room on the disk. It is deleted when the disk is full, so that
 * what has been promised can still be written.
 */
import { randomFillSync } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { lstat, open, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { errorText, FemtoError, isOutOfRoom, LIMITS, ownUser, printable, systemErrorCode } from "@femtoclaw/protocol";
import { OneByOne } from "../one-by-one.ts";
import { syncFolder } from "./sync-folder.ts";

const MIB = 1_048_576;
/** When LevelDB opens, it writes what two logs hold to tables before it deletes these: 32 MiB and a group each. */
const REOPENING_BYTES = 80 * MIB;
/** What the queue holds when the disk fills: the group to write again, and the intents and refusals after it. */
const QUEUED_BYTES = 24 * MIB;
/** The rounding up of LevelDB's files, checkpoints, and what the runtime records about itself until its end. */
const OWN_BYTES = 8 * MIB;
/** LIMIT: bytes of the reserve, enough for all that is written between a full disk and the last promised outcome. */
export const RESERVE_BYTES = REOPENING_BYTES + QUEUED_BYTES + LIMITS.outcomes * LIMITS.outcomeBytes + OWN_BYTES;
/**
 * LIMIT: bytes that must stay free when the reserve is taken, so that a nearly full disk neither flaps nor is filled by
 * the reserve itself.
 */
export const MARGIN_BYTES = 64 * MIB;

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;

/** The reserve file of a state directory. */
export class DiskReserve {
  readonly #folder: string;
  readonly #path: string;
  #isHeld: boolean;
  /** Whether to finish a reserve that is being written. */
  #isWanted = true;
  readonly #changes = new OneByOne();

  private constructor(folder: string, path: string, isHeld: boolean) {
    this.#folder = folder;
    this.#path = path;
    this.#isHeld = isHeld;
  }

  /**
   * Examines what an earlier host left in the state directory, without taking anything yet. Throws FEMTO_STATE_OWNER
   * for anything that no host leaves there.
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

  /** Whether the reserve is taken. */
  get held(): boolean {
    return this.#isHeld;
  }

  /** Bytes that this user could still write to the disk. */
  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#folder);
    return bavail * bsize;
  }

  /** Whether the reserve is taken or could be. */
  async hasRoom(): Promise<boolean> {
    return this.#isHeld || (await this.freeBytes()) >= RESERVE_BYTES + MARGIN_BYTES;
  }

  /** Takes the reserve; returns false if the disk has too little room. Throws any other fault of the disk. */
  take(): Promise<boolean> {
    return this.#changes.run(() => this.#take());
  }

  /** Gives the room to the next writer, even if it is being taken at the moment. */
  async giveUp(): Promise<void> {
    this.#isWanted = false;
    await this.#changes.run(async () => {
      this.#isWanted = true;
      this.#isHeld = false;
      await rm(this.#path, { force: true });
    });
  }

  /** Takes no more; resolves once a reserve being written is complete or deleted. */
  async stop(): Promise<void> {
    this.#isWanted = false;
    await this.#changes.idle();
  }

  async #take(): Promise<boolean> {
    if (this.#isHeld) return true;
    // A crash may have left an incomplete file; its room counts as free.
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
      if (isOutOfRoom(error)) return false;
      throw error;
    }
    this.#isHeld = true;
    return true;
  }

  /**
   * INVARIANT: the room is really taken: with synced bytes that a file system can neither leave out nor compress.
   * Returns false if the reserve is not wanted any more.
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

// INVARIANT: only a file of this user is ever deleted or counted as room; a link could point to anything.
function assertOwn(path: string, status: Stats): void {
  const uid = ownUser();
  const wrong = status.isFile() ? null : status.isSymbolicLink() ? "a symbolic link" : "no regular file";
  const finding = wrong === null && status.uid !== uid ? `a file of user ${status.uid}` : wrong;
  if (finding === null) return;
  const fix = "Find out who put it there, then remove it. The host creates its own.";
  throw new FemtoError("FEMTO_STATE_OWNER", `${printable(path)} is ${finding}`, { fix });
}

/** A file with holes or a second name would give no room back when deleted. */
function isWhole({ size, blocks, nlink }: Stats): boolean {
  return size === RESERVE_BYTES && blocks * 512 >= RESERVE_BYTES && nlink === 1;
}
