/**
 * Whether the disk of the state directory has room to spare. The reserve is the measure: while it is held, or is being
 * taken from room that was found free, everything that is promised can be written.
 */
import { readdirSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Clock, DiskReserve, RESERVE_BYTES } from "@femtoclaw/journal/live";
import { errorText } from "@femtoclaw/protocol";
import type { ActorSystem } from "../actors/system.ts";
import type { Chronicle } from "../chronicle.ts";
import { harmless } from "../harmless.ts";
import type { LogEntry } from "../options.ts";

/** Milliseconds between two attempts to take the reserve again. */
const CHECK_MS = 1_000;
const MIB = 1_048_576;
/** Within the state directory. */
const JOURNAL_FOLDER = "journal";
const NO_ROOM = `its ${RESERVE_BYTES / MIB} MiB of reserve do not fit on the disk`;

interface DiskSpaceOptions {
  /** The state directory; null for a journal that is not on a disk and never full. */
  readonly folder: string | null;
  readonly clock: Pick<Clock, "after">;
  /** Called with the reason when the disk is full, and with null when it has room again. */
  onChange(full: string | null): void;
  log(entry: LogEntry): void;
}

export class DiskSpace {
  readonly #options: DiskSpaceOptions;
  readonly #reserve: DiskReserve | null;
  #full: string | null = null;
  #cancelCheck: (() => void) | null = null;
  #isStopped = false;

  private constructor(options: DiskSpaceOptions, reserve: DiskReserve | null) {
    this.#options = { ...options, onChange: harmless("who hears of a full disk", options.onChange) };
    this.#reserve = reserve;
  }

  /**
   * A disk without room for the reserve is full from the start: the runtime comes up and takes no calls. If there is
   * room, the reserve is taken in the background, because a start need not wait for so many bytes.
   */
  static async open(options: DiskSpaceOptions): Promise<DiskSpace> {
    const reserve = options.folder === null ? null : await DiskReserve.open(options.folder);
    const space = new DiskSpace(options, reserve);
    if (reserve === null) return space;
    if (await reserve.hasRoom()) void space.#take().then((isTaken) => isTaken || space.#fill(NO_ROOM));
    else space.#fill(NO_ROOM);
    return space;
  }

  /** Why the disk counts as full; null while it has room. */
  get full(): string | null {
    return this.#full;
  }

  get reserveBytes(): number {
    return this.#reserve?.held === true ? RESERVE_BYTES : 0;
  }

  /** Bytes that could still be written beside the reserve; null if the disk does not tell. */
  get freeBytes(): number | null {
    if (this.#options.folder === null) return null;
    try {
      const { bavail, bsize } = statfsSync(this.#options.folder);
      return bavail * bsize;
    } catch {
      // The folder or the disk is gone; the journal will notice that itself.
      return null;
    }
  }

  /**
   * Bytes of the journal's files; null for a journal that is not on a disk. LIMIT: if there are many files, each has at
   * least two megabytes, so for a journal of ten gigabytes some thousands of files are examined.
   */
  get journalBytes(): number | null {
    const { folder } = this.#options;
    if (folder === null) return null;
    try {
      const journal = join(folder, JOURNAL_FOLDER);
      return readdirSync(journal).reduce((sum, name) => sum + bytesOf(join(journal, name)), 0);
    } catch {
      // As above: the journal will notice that itself.
      return null;
    }
  }

  // INVARIANT: I9: admission closes before the reserve is given up, so that only what was promised uses it.
  async exhausted(reason: string): Promise<void> {
    this.#fill(reason);
    await this.#reserve?.giveUp();
    // Called a second time, because the reserve may have been taken again meanwhile, so that the disk counted as having
    // room.
    this.#fill(reason);
  }

  /** Resolves once nothing is written to the disk any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelCheck?.();
    await this.#reserve?.stop();
  }

  #fill(reason: string): void {
    if (this.#full !== null || this.#isStopped) return;
    this.#full = reason;
    this.#options.onChange(reason);
    this.#arm();
  }

  #arm(): void {
    if (this.#isStopped) return;
    this.#cancelCheck = this.#options.clock.after(CHECK_MS, () => void this.#check(), { unref: true });
  }

  async #check(): Promise<void> {
    const isTaken = await this.#take();
    if (this.#isStopped) return;
    if (!isTaken) return this.#arm();
    this.#full = null;
    this.#options.onChange(null);
  }

  async #take(): Promise<boolean> {
    try {
      return (await this.#reserve?.take()) ?? true;
    } catch (error) {
      this.#options.log({ level: "warn", event: "reserve.failed", reason: errorText(error) });
      return false;
    }
  }
}

/** A file may vanish while the others are examined, because the database merges files as it likes. */
const bytesOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/**
 * Reports the state of the disk to the log, the journal and the memory machine. Outcomes and the runtime's own records
 * are still written.
 */
export function tellSpace(
  full: string | null,
  { system, chronicle, log }: { system: ActorSystem; chronicle: Chronicle; log(entry: LogEntry): void },
): void {
  system.send("memory", { type: full === null ? "relieved" : "exhausted" });
  const state = full === null ? "ready" : "full";
  const reason = full ?? "the reserve is taken again";
  log({ level: full === null ? "info" : "error", event: "memory.changed", state, reason });
  chronicle.record({ type: "memory.changed", session: null, execution: null, body: { state, reason } });
}
