/** Remembers what was seen of the log at one place, and lets no other log, no older copy and no fork pass for it. */
import { type ErrorCode, errorText, FemtoError, type HostEnvironment, stateHome } from "@femtoclaw/protocol";
import { encodeBase64 } from "../tree/base64.ts";
import type { Checkpoint } from "../tree/checkpoint.ts";
import { followLog, type KnownLog, openKnownLog } from "./known-log.ts";
import {
  folderOf,
  forgetLogs,
  newestFile,
  type StoredLog,
  successorIn,
  writeFileOf,
  writeSuccessor,
} from "./log-files.ts";

/** LIMIT: answers that one meeting takes; together they cover a change of the key each hour for three years. */
const ANSWERS_MAX = 1_024;

/**
 * A host that went away, takes nobody more, or cannot read its journal, has refused nothing; what was asked of it fails for
 * that reason.
 */
const UNABLE: ReadonlySet<ErrorCode> = new Set([
  "FEMTO_DISK_FULL",
  "FEMTO_HOST_NOT_RUNNING",
  "FEMTO_HOST_SILENT",
  "FEMTO_JOURNAL_CLOSED",
  "FEMTO_JOURNAL_CORRUPT",
  "FEMTO_OVERLOADED",
]);

/** What was seen of a log, and when. */
export interface RememberedLog {
  readonly origin: string;
  readonly size: number;
  /** In base64. */
  readonly root: string;
  /** Time of this machine, for people. */
  readonly seenAt: string;
  /** Public key that the log began with. */
  readonly firstKey: string;
  /** The signed note. */
  readonly checkpoint: string;
}

export interface MetLog {
  /** What was known before; null at first sight. */
  readonly before: RememberedLog | null;
  readonly now: RememberedLog;
}

/** A log that is about to take the place of another one. */
export interface AnnouncedLog {
  /** Public key that the old log began with. */
  readonly before: string;
  /** Public key that the new log begins with. */
  readonly next: string;
  /** Where the old log will stand. */
  readonly oldPlace: string;
  /** Whether the old log, as it is now, begins with the tree that was seen. */
  beginsWith(seen: Checkpoint): Promise<boolean>;
}

export interface LogMemoryOptions {
  /** Variables that name the user's state folder, where what was seen is kept. */
  readonly environment: HostEnvironment;
  /** Where the log stands: its state directory, or the folder of its host's sockets. */
  readonly place: string;
  /** Hears why something that was seen could not be kept. */
  readonly warn: (reason: string) => void;
}

export class LogMemory {
  readonly #place: string;
  readonly #home: string | undefined;
  readonly #folder: string | null;
  readonly #warn: (reason: string) => void;

  constructor({ environment, place, warn }: LogMemoryOptions) {
    this.#home = stateHome(environment);
    this.#place = place;
    this.#folder = this.#home === undefined ? null : folderOf(this.#home, place);
    this.#warn = warn;
  }

  /** What was seen of the log here. Throws FEMTO_KNOWN_LOG_DAMAGED for what this user's clients did not write. */
  async remembered(): Promise<RememberedLog | null> {
    const stored = await this.#stored();
    return stored === null ? null : describe(stored);
  }

  /**
   * Holds the log that answers to what was seen of the log here, and remembers what it proves. `ask` gets
   * the size to go on from, null at first sight, and resolves with what the host answers to `log.follow`.
   * Throws FEMTO_LOG_ROLLED_BACK when this log does not go on from there.
   */
  async meet(ask: (from: number | null) => Promise<unknown>): Promise<MetLog> {
    const succeeded = await this.#isSucceeded(ask);
    const stored = succeeded ? null : await this.#stored();
    const before = stored === null ? null : describe(stored);
    let known: KnownLog | null = stored;
    for (let answers = 0; answers < ANSWERS_MAX; answers += 1) {
      const answer = await this.#asked(ask, known, before);
      const followed = followLog(known, answer);
      if (!followed.ok) throw refusal(this.#place, before, followed.reason);
      known = followed.known;
      if (!followed.complete) continue;
      const seen = { ...known, seenAt: new Date().toISOString() };
      const now = describe(seen);
      // INVARIANT: what is kept was signed by the key in force, and goes on from what was kept before.
      if (succeeded) await this.forget();
      if (now.size !== before?.size) await this.#keep(seen, now.size);
      return { before, now };
    }
    throw refusal(this.#place, before, "it shows no end of changes of its key");
  }

  /**
   * Lets what is remembered here follow a log that takes the place of the known one: the next log is taken
   * at first sight if it begins with the key `next`, and the old one is remembered at `oldPlace`. Does
   * nothing where the old log is not the one that was seen, or lost something of it: whoever asks has to be told.
   */
  async announce({ before, next, oldPlace, beginsWith }: AnnouncedLog): Promise<void> {
    try {
      const stored = await this.#stored();
      if (this.#home === undefined || this.#folder === null || stored?.firstKey !== before) return;
      const seen = openKnownLog(stored);
      if (typeof seen === "string" || !(await beginsWith(seen))) return;
      await writeFileOf(folderOf(this.#home, oldPlace), stored, describe(stored).size);
      await writeSuccessor(this.#folder, next);
    } catch (error) {
      this.#warn(`the log that takes the place of the known one cannot be announced: ${errorText(error)}`);
    }
  }

  /** For an owner who threw the log away or put a backup in its place; false when nothing was known. */
  async forget(): Promise<boolean> {
    return this.#folder !== null && (await forgetLogs(this.#folder));
  }

  async #asked(
    ask: (from: number | null) => Promise<unknown>,
    known: KnownLog | null,
    before: RememberedLog | null,
  ): Promise<unknown> {
    const state = known === null ? null : openKnownLog(known);
    try {
      return await ask(state === null || typeof state === "string" ? null : state.size);
    } catch (error) {
      const unable = error instanceof FemtoError && UNABLE.has(error.code);
      if (before === null || unable) throw error;
      throw refusal(this.#place, before, `it proves nothing: ${errorText(error)}`);
    }
  }

  // INVARIANT: I7: what is known gives way only to a log whose key was announced here, outside of the state directory.
  async #isSucceeded(ask: (from: number | null) => Promise<unknown>): Promise<boolean> {
    const successor = this.#folder === null ? null : await successorIn(this.#folder);
    if (successor === null) return false;
    const followed = followLog(null, await ask(null));
    return followed.ok && followed.known.firstKey === successor;
  }

  async #stored(): Promise<StoredLog | null> {
    return this.#folder === null ? null : await newestFile(this.#folder);
  }

  async #keep(seen: StoredLog, size: number): Promise<void> {
    if (this.#folder === null) return this.#warn("the log is not remembered: set HOME");
    try {
      await writeFileOf(this.#folder, seen, size);
    } catch (error) {
      this.#warn(`the log is not remembered: ${errorText(error)}`);
    }
  }
}

function describe(stored: StoredLog): RememberedLog {
  const state = openKnownLog(stored);
  if (typeof state === "string") throw new TypeError(`what was verified cannot be opened: ${state}`);
  const { firstKey, checkpoint, seenAt } = stored;
  return { origin: state.origin, size: state.size, root: encodeBase64(state.root), seenAt, firstKey, checkpoint };
}

function refusal(place: string, before: RememberedLog | null, reason: string): FemtoError {
  if (before === null) {
    const fix = "Do not use this host; keep a copy of its state directory as evidence.";
    return new FemtoError("FEMTO_LOG_ROLLED_BACK", `the log at ${place} proves nothing of itself: ${reason}`, { fix });
  }
  const { size, origin, root, seenAt } = before;
  const seen = `at ${seenAt} it was seen with ${size} records, root ${root}, as ${origin}`;
  return new FemtoError("FEMTO_LOG_ROLLED_BACK", `the log at ${place} is not what was seen there: ${reason}; ${seen}`);
}
