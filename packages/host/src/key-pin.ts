/**
 * The public key of a log, kept outside its state directory when the log is first seen: whoever replaces
 * log and key together is found out by the key that is kept here.
 */
import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { LogReader } from "@femtoclaw/journal";
import { systemErrorCode } from "@femtoclaw/protocol";
import { type HostEnvironment, stateHome } from "@femtoclaw/runtime";

/** The pinned key of the log in this state directory, or null when none was pinned. */
export function pinnedKey(environment: HostEnvironment, stateDirectory: string): string | null {
  const path = pinPath(environment, stateDirectory);
  return path === null ? null : keyIn(path);
}

/** Ends the name of a pin that is to follow the one in force. */
const ANNOUNCED = ".next";

function keyIn(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    if (NOT_THERE.has(systemErrorCode(error) ?? "")) return null;
    throw error;
  }
}

const NOT_THERE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR"]);

/**
 * Keeps the key that the log's first record names, unless one was kept before. Resolves with false when
 * the one that was kept is another: then this is not the log that stood here when it was first seen.
 */
export async function pinKey(
  environment: HostEnvironment,
  stateDirectory: string,
  reader: LogReader,
): Promise<boolean> {
  const path = pinPath(environment, stateDirectory);
  if (path === null) return true;
  for await (const record of reader.read(0, 1)) {
    if (record.type !== "log.created") return false;
    const { vkey } = record.body;
    keepKey(environment, stateDirectory, vkey);
    if (pinnedKey(environment, stateDirectory) === vkey) return true;
    if (keyIn(`${path}${ANNOUNCED}`) !== vkey) return false;
    // INVARIANT: I7: a pin gives way only to a key that was announced here, outside of the state directory.
    renameSync(`${path}${ANNOUNCED}`, path);
    return true;
  }
  return false;
}

/** Keeps the key of the log in this state directory, unless one is kept already. */
export function keepKey(environment: HostEnvironment, stateDirectory: string, vkey: string): void {
  const path = pinPath(environment, stateDirectory);
  if (path !== null) writeOnce(path, vkey);
}

/**
 * Called before a log takes the place of the one whose first key is `before`: lets the pin of the old log
 * follow it to where it will stand, and the new key take the pin's place once the new log is there.
 */
export function announceKey(
  environment: HostEnvironment,
  stateDirectory: string,
  { before, next, oldLog }: { readonly before: string; readonly next: string; readonly oldLog: string },
): void {
  const path = pinPath(environment, stateDirectory);
  const pinned = pinnedKey(environment, stateDirectory);
  // A log that is not the pinned one is not followed: whoever verifies has to be told.
  if (path === null || pinned !== before) return;
  keepKey(environment, oldLog, pinned);
  rmSync(`${path}${ANNOUNCED}`, { force: true });
  writeOnce(`${path}${ANNOUNCED}`, next);
}

/** For a log that its owner threw away: the next one in its place may be another. */
export function forgetKey(environment: HostEnvironment, stateDirectory: string): void {
  const path = pinPath(environment, stateDirectory);
  if (path === null) return;
  for (const name of [path, `${path}${ANNOUNCED}`]) rmSync(name, { force: true });
}

// INVARIANT: I7: a key that was pinned is never replaced by what a state directory says.
function writeOnce(path: string, vkey: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  let descriptor: number;
  try {
    descriptor = openSync(
      path,
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
      0o600,
    );
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST") return;
    throw error;
  }
  try {
    writeFileSync(descriptor, `${vkey}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function pinPath(environment: HostEnvironment, stateDirectory: string): string | null {
  const home = stateHome(environment);
  if (home === undefined) return null;
  const name = createHash("sha256").update(resolve(stateDirectory)).digest("hex").slice(0, 32);
  return join(home, "pins", `${name}.vkey`);
}
