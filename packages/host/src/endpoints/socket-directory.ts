/**
 * The folder of the sockets. It is private to the host's user, because anybody who can enter it may propose or
 * operate, and anybody who could put another folder in its place could pose as the host.
 */
import { lstatSync, realpathSync, type Stats, unlinkSync } from "node:fs";
import { connect } from "node:net";
import { dirname } from "node:path";
import { makeFolders } from "@femtoclaw/journal/state-directory";
import { errorText, FemtoError, ownUser, printable, systemErrorCode } from "@femtoclaw/protocol";

/** LIMIT: bytes of a socket path; the kernel needs one more for the closing NUL. */
const SOCKET_PATH_BYTES_MAX = 107;

/** Makes the folder if it is missing; throws FEMTO_SOCKET_PATH if it does not belong to this user alone. */
export function prepareSocketDirectory(folder: string): void {
  try {
    makeFolders(folder, 0o700);
  } catch (error) {
    throw unusable(folder, error);
  }
  assertPrivateSocketFolder(folder);
}

/**
 * Throws FEMTO_SOCKET_PATH if others can enter the folder or replace it. A missing folder is no fault here, because a
 * client that connects will find out.
 *
 * INVARIANT: I8: the folder belongs to this user alone, and only this user and root can move it or a folder that it
 * lies in.
 */
export function assertPrivateSocketFolder(folder: string): void {
  try {
    const path = realpathSync.native(folder);
    assertOwn(path);
    for (let above = dirname(path), last = path; above !== last; last = above, above = dirname(above))
      assertKept(above);
  } catch (error) {
    if (error instanceof FemtoError) throw error;
    if (systemErrorCode(error) !== "ENOENT") throw unusable(folder, error);
  }
}

function assertOwn(path: string): void {
  const status = lstatSync(path);
  const uid = ownUser(process.getuid);
  if (!status.isDirectory()) throw refusal(`${shown(path)} is not a folder`, `Move ${shown(path)} away.`);
  if (status.uid !== uid) {
    const fix = `Run the command as that user, for example with \`sudo -u '#${status.uid}'\`, or set [host].runtime_dir to a folder of your own.`;
    throw refusal(`${shown(path)} belongs to user ${status.uid}, not ${uid}`, fix);
  }
  if ((status.mode & 0o077) !== 0) {
    throw refusal(`${shown(path)} has mode ${octal(status)} where 700 is expected`, `Run: chmod 700 ${shown(path)}`);
  }
}

function assertKept(path: string): void {
  const status = lstatSync(path);
  if (status.uid !== ownUser(process.getuid) && status.uid !== 0) {
    const fix =
      "Set [host].runtime_dir to a folder below none but yours and those of root. In a user namespace root's folders belong to nobody; run the command outside of it.";
    throw refusal(`${shown(path)}, in which the sockets would be, belongs to user ${status.uid}`, fix);
  }
  // In a sticky folder such as /tmp, nobody but the folder's owner can move what belongs to somebody else.
  const isSticky = (status.mode & 0o1000) !== 0;
  if ((status.mode & 0o022) !== 0 && !isSticky) {
    const finding = `${shown(path)}, in which the sockets would be, can be changed by others (mode ${octal(status)})`;
    throw refusal(finding, `Run: chmod go-w ${shown(path)}`);
  }
}

function refusal(finding: string, fix: string): FemtoError {
  return new FemtoError("FEMTO_SOCKET_PATH", finding, { fix });
}

export function unusable(path: string, error: unknown): FemtoError {
  const reason = systemErrorCode(error) ?? errorText(error);
  return new FemtoError("FEMTO_SOCKET_PATH", `${shown(path)} cannot be used (${reason})`, { cause: error });
}

const octal = ({ mode }: Stats): string => (mode & 0o7777).toString(8);
const shown = (path: string): string => printable(path, 4_096);

/** Throws FEMTO_HOST_RUNNING if a host answers there, and FEMTO_SOCKET_PATH if something else is in the way. */
export async function assertNobodyListens(path: string): Promise<void> {
  await probe(path);
}

/**
 * Removes a socket that a killed host left behind. The caller holds the journal's lock, so no other host serves this
 * state directory. A host that still answers serves another one, and its socket is left alone.
 */
export async function clearStaleSocket(path: string): Promise<void> {
  if ((await probe(path)) === "stale") unlinkSync(path);
}

async function probe(path: string): Promise<"missing" | "stale"> {
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) {
    throw new FemtoError("FEMTO_SOCKET_PATH", `${shown(path)} is longer than ${SOCKET_PATH_BYTES_MAX} bytes`);
  }
  const answer = await new Promise<string>((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve("alive");
    });
    socket.once("error", (error) => resolve(systemErrorCode(error) ?? "unknown"));
  });
  if (answer === "ENOENT") return "missing";
  if (answer === "alive") {
    throw new FemtoError("FEMTO_HOST_RUNNING", `another host answers on ${shown(path)}`, {
      fix: "Use that host, or stop it with `femtoclaw down`. If it serves another state directory, set [host].runtime_dir to another folder for one of the two.",
    });
  }
  if (answer === "ECONNREFUSED" && lstatSync(path).isSocket()) return "stale";
  throw new FemtoError("FEMTO_SOCKET_PATH", `${shown(path)} cannot be used (${answer})`, {
    fix: `Move ${shown(path)} away.`,
  });
}
