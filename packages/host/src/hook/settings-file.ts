/**
 * An agent's settings on the disk. They are read once, replaced as a whole or not at all, and only by the user whom
 * they belong to.
 */
import { lstatSync, readFileSync, realpathSync, renameSync, rmSync, type Stats, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { makeFolders } from "@femtoclaw/journal/state-directory";
import { FemtoError, ownUser, printable, systemErrorCode } from "@femtoclaw/protocol";
import { besideName, sweepBeside, writeNewFile } from "../installation/durable-files.ts";

/** LIMIT: bytes of an agent's settings. */
const SETTINGS_BYTES_MAX = 4_194_304;

export interface SettingsFile {
  /** With links resolved, because the settings of many people are links. */
  readonly path: string;
  /** Null if there is no such file yet. */
  readonly text: string | null;
}

export function readSettings(written: string): SettingsFile {
  try {
    const path = realpathSync(written);
    const stats = lstatSync(path);
    assertOwn(path, stats);
    return { path, text: readFileSync(path, "utf8") };
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT" && !isThere(written)) return { path: written, text: null };
    throw error instanceof FemtoError ? error : refused(written, `cannot be read (${systemErrorCode(error)})`, error);
  }
}

/**
 * INVARIANT: what somebody has written since the file was read is not overwritten, and neither is a file that has
 * appeared since.
 */
export function replaceSettings(before: SettingsFile, text: string): void {
  const { path } = before;
  const next = besideName(path);
  try {
    makeFolders(dirname(path), 0o700);
    // Removes what an earlier call left that was killed.
    sweepBeside(path);
    if (before.text === null) {
      writeNewFile(path, text, 0o600);
      return;
    }
    const { mode } = lstatSync(path);
    writeFileSync(next, text, { flag: "wx", mode: mode & 0o777 });
    const now = readSettings(path);
    if (now.path !== path || now.text !== before.text) throw refused(path, "has changed since it was read");
    renameSync(next, path);
  } catch (error) {
    rmSync(next, { force: true });
    throw error instanceof FemtoError ? error : refused(path, `cannot be written (${systemErrorCode(error)})`, error);
  }
}

function assertOwn(path: string, stats: Stats): void {
  if (!stats.isFile()) throw refused(path, "is no regular file");
  if (stats.uid !== ownUser(process.getuid)) throw refused(path, `belongs to user ${stats.uid}`);
  if (stats.size > SETTINGS_BYTES_MAX) throw refused(path, `is larger than ${SETTINGS_BYTES_MAX} bytes`);
}

/** True also for a link that leads nowhere, so that nothing is written through it. */
function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function refused(path: string, finding: string, cause?: unknown): FemtoError {
  return new FemtoError("FEMTO_USAGE", `${printable(path, 4_096)} ${finding}; nothing was written`, {
    fix: "Add the output of `femtoclaw hook install` (without --write) yourself, or name another file.",
    cause,
  });
}
