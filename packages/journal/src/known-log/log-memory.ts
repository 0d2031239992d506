/** Remembers what was seen of the log at one place, so that another log, an older copy or a fork cannot pass for it. */
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

/** LIMIT: answers taken in one meeting. Together they cover an hourly change of the key for three years. */
const ANSWERS_MAX = 1_024;

/**
 * A host that answers with one of these has not refused a proof: it is gone, overloaded or cannot read its journal. The
 * request fails for that reason instead.
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
interface AnnouncedLog {
  /** Public key that the old log began with. */
  readonly before: string;
  /** Public key that the new log begins with. */
  readonly next: string;
  /** Where the old log will be kept. */
  readonly oldPlace: string;
  /** Whether the old log, as it is now, begins with the tree that was seen. */
  beginsWith(seen: Checkpoint): Promise<boolean>;
}

export interface LogMemoryOptions {
  /** Environment variables, which name the user's state folder. What was seen is kept there. */
  readonly environment: HostEnvironment;
  /** Where the log stands: its state directory, or the folder of its host's sockets. */
  readonly place: string;
  /** Called with the reason if something that was seen could not be stored. */
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

  /**
   * What was seen of the log here. Throws FEMTO_KNOWN_LOG_DAMAGED for a file that this user's clients did not write.
   */
  async remembered(): Promise<RememberedLog | null> {
    const stored = await this.#stored();
    return stored === null ? null : describe(stored);
  }

  /**
   * Checks the log that answers against what was seen here, and remembers what it proves. `ask` gets the size to
   * continue from, null at first sight, and resolves with the host's answer to `log.follow`. Throws
   * FEMTO_LOG_ROLLED_BACK if this log does not continue from there.
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
      // INVARIANT: what is stored was signed by the key in force, and continues from what was stored before.
      if (succeeded) await this.forget();
      if (now.size !== before?.size) await this.#keep(seen, now.size);
      return { before, now };
    }
    throw refusal(this.#place, before, "it shows no end of changes of its key");
  }

  /**
   * Prepares for a log that takes the place of the known one: the next log is accepted at first sight if it begins with
   * the key `next`, and the old one is remembered at `oldPlace`. Does nothing if the old log is not the one that was
   * seen, or lost records that were seen: then the user has to be told when the log is next met.
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

  /** For an owner who deleted the log or restored a backup. Returns false if nothing was known. */
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
    if (this.#folder === null) return this.#warn("the log cannot be remembered: set HOME");
    try {
      await writeFileOf(this.#folder, seen, size);
    } catch (error) {
      this.#warn(`the log cannot be remembered: ${errorText(error)}`);
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
