// @ts-check
/**
 * Where Node.js keeps the modules of FemtoClaw as it compiled them, so that a start need not do it again. What lies
 * there is run without a look at its meaning. Plain JavaScript: it is read before anything is kept.
 */
import { existsSync, lstatSync, mkdirSync, realpathSync, statfsSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { dirname, isAbsolute, join } from "node:path";

const FOLDER = "compiled-code";
/** LIMIT: bytes that are free where code is kept, of which all of it takes a quarter. */
const ROOM_BYTES = 33_554_432;

/**
 * Begins to keep compiled code and to use what is kept. Where the folder is not safe it does neither: a start that
 * compiles is slower, and as right.
 * @param {NodeJS.ProcessEnv} environment
 */
export function keepCompiledCode(environment) {
  const directory = compiledCodeFolder(environment);
  if (directory !== undefined) enableCompileCache({ directory });
}

/**
 * @param {NodeJS.ProcessEnv} environment
 * @returns {string | undefined}
 */
export function compiledCodeFolder(environment) {
  const folder = ownStateFolder(environment, FOLDER);
  return folder !== undefined && hasRoom(folder) ? folder : undefined;
}

/**
 * On a full disk each start would leave a thousand empty files: Node.js begins one for each module, and keeps it where it
 * cannot write it.
 * @param {string} folder
 */
function hasRoom(folder) {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize >= ROOM_BYTES;
}

/**
 * A folder in the state home, made where it is missing; undefined where it cannot be had or somebody else could write
 * there.
 * @param {NodeJS.ProcessEnv} environment
 * @param {string} name
 * @returns {string | undefined}
 */
export function ownStateFolder(environment, name) {
  const home = stateHome(environment);
  if (home === undefined) return undefined;
  try {
    makeFolders(home);
    // INVARIANT: I8: the folder lies in the state home itself, which no call reaches; a link could lead out of it.
    const folder = join(realpathSync.native(home), name);
    makeFolders(folder);
    return isOwnAlone(folder) ? folder : undefined;
  } catch {
    return undefined;
  }
}

/**
 * As `makeFolders` of the journal, which is not plain JavaScript: Node.js would go on for ever in /proc.
 * @param {string} folder
 */
function makeFolders(folder) {
  if (existsSync(folder)) return;
  if (!existsSync(dirname(folder))) makeFolders(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process may have been first.
    if (!existsSync(folder)) throw error;
  }
}

/**
 * INVARIANT: I8: anyone who writes there runs code as this user; so it is this user's alone, and only this user and root
 * can move it or what it lies in.
 * @param {string} folder canonical but for its last part
 */
function isOwnAlone(folder) {
  const status = lstatSync(folder);
  // Where users have no numbers, there is no telling whose it is.
  const uid = process.geteuid?.();
  if (!status.isDirectory() || status.uid !== uid || (status.mode & 0o077) !== 0) return false;
  for (let above = dirname(folder), last = folder; above !== last; last = above, above = dirname(above)) {
    const { uid: owner, mode } = lstatSync(above);
    // In a sticky folder such as /tmp, nobody but its owner can move what belongs to somebody else.
    const isKept = (mode & 0o022) === 0 || (mode & 0o1000) !== 0;
    if ((owner !== uid && owner !== 0) || !isKept) return false;
  }
  return true;
}

/**
 * The same folder as that of the state directories; the code that says so elsewhere is not plain JavaScript.
 * @param {NodeJS.ProcessEnv} environment
 * @returns {string | undefined}
 */
function stateHome(environment) {
  const absolute = (/** @type {string} */ name) => {
    const value = environment[name];
    return value !== undefined && isAbsolute(value) ? value : undefined;
  };
  const home = absolute("HOME");
  const base = absolute("XDG_STATE_HOME") ?? (home === undefined ? undefined : join(home, ".local/state"));
  return base === undefined ? undefined : join(base, "femtoclaw");
}
