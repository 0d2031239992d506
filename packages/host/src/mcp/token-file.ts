/** The token of the HTTP endpoint in a file, for clients that are configured once. */
import { closeSync, constants, fstatSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { isToken, newToken, TOKEN_CHARS } from "@femtoclaw/mcp";
import { FemtoError, ownUser, printable, systemErrorCode } from "@femtoclaw/protocol";

/** The token that the file holds. A missing file is created with a new token. */
export function tokenFrom(path: string): string {
  return readToken(path) ?? writeToken(path) ?? readToken(path) ?? refuse(path, "comes and goes");
}

/** Null if there is no such file. The checks are made on the open file, so that what is checked is what is read. */
function readToken(path: string): string | null {
  // Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
  const descriptor = open(path, constants.O_RDONLY | constants.O_NONBLOCK, "ENOENT");
  if (descriptor === null) return null;
  try {
    const { uid, mode, size } = assertFile(path, descriptor);
    const own = ownUser(process.getuid);
    // INVARIANT: I8: a token that others know protects nothing, and a token that others choose is theirs.
    if (uid !== own || (mode & 0o077) !== 0) {
      refuse(path, `is not this user's alone (user ${uid}, mode ${(mode & 0o7777).toString(8)})`);
    }
    const token = size > TOKEN_CHARS.max + 2 ? "" : readFileSync(descriptor, "utf8").trim();
    if (!isToken(token)) refuse(path, `holds no token of ${TOKEN_CHARS.min} to ${TOKEN_CHARS.max} characters`);
    return token;
  } finally {
    closeSync(descriptor);
  }
}

/** Null if somebody else was quicker. */
function writeToken(path: string): string | null {
  const descriptor = open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, "EEXIST");
  if (descriptor === null) return null;
  try {
    const token = newToken();
    writeFileSync(descriptor, `${token}\n`);
    return token;
  } catch (error) {
    // Otherwise the next start would find a file without a token.
    rmSync(path, { force: true });
    return refuse(path, `cannot be written (${systemErrorCode(error) ?? "unknown cause"})`);
  } finally {
    closeSync(descriptor);
  }
}

function open(path: string, flags: number, otherwise: string): number | null {
  try {
    return openSync(path, flags | constants.O_NOFOLLOW, 0o600);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === otherwise) return null;
    return refuse(path, `cannot be used (${code ?? "unknown cause"})`);
  }
}

function assertFile(path: string, descriptor: number): { uid: number; mode: number; size: number } {
  const stats = fstatSync(descriptor);
  return stats.isFile() ? stats : refuse(path, "is not a regular file");
}

function refuse(path: string, finding: string): never {
  throw new FemtoError("FEMTO_CONFIG_OWNER", `the token file ${printable(path, 4_096)} ${finding}`, {
    fix: "Name a file that does not exist yet, in a folder of your own. It is created with a new token and mode 600.",
  });
}
