/** Examines this machine before a view is planned: the impure half of planning. */
import {
  accessSync,
  constants,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
} from "node:fs";
import { FemtoError, printable, systemErrorCode } from "@femtoclaw/protocol";

/**
 * What stands at a path. A symbolic link anywhere in the path makes the kind `link`, because a mount would follow it;
 * `target` is where it finally leads.
 */
export type PathState =
  | { readonly kind: "missing" | "file" | "directory" }
  | { readonly kind: "link"; readonly target: string };

/** The questions that planning asks; a test may answer them itself. */
export interface Inspection {
  /** As Node names it, for example `x64`. */
  readonly architecture: string;
  stateOf(path: string): PathState;
  /** The text of a symbolic link at this very path, which may lead nowhere; null if there is no link. */
  linkText(path: string): string | null;
  /** Whether this process can read the file that this path leads to, and it has at most so many bytes. */
  isReadable(path: string, bytesMax: number): boolean;
  /** The first executable file of that name in the folders, or null. */
  findProgram(name: string, folders: readonly string[]): string | null;
}

export const hostInspection: Inspection = {
  architecture: process.arch,
  stateOf,
  linkText,
  isReadable,
  findProgram,
};

function stateOf(path: string): PathState {
  try {
    const found = lstatSync(path);
    const canonical = realpathSync.native(path);
    if (canonical !== path) return { kind: "link", target: canonical };
    return { kind: found.isDirectory() ? "directory" : "file" };
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return { kind: "missing" };
    throw unexamined(path, error);
  }
}

function linkText(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch (error) {
    const code = systemErrorCode(error);
    // EINVAL means that the path is no link.
    if (code === "EINVAL" || code === "ENOENT" || code === "ENOTDIR") return null;
    throw unexamined(path, error);
  }
}

function isReadable(path: string, bytesMax: number): boolean {
  try {
    accessSync(path, constants.R_OK);
    const found = statSync(path);
    return found.isFile() && found.size <= bytesMax;
  } catch {
    // Whatever the reason, a file that cannot be examined does not count.
    return false;
  }
}

function unexamined(path: string, cause: unknown): FemtoError {
  const reason = `${printable(path)} cannot be examined (${systemErrorCode(cause) ?? "unknown"})`;
  const fix = "Give the user who runs the host access to the folders above it, or remove it from the configuration.";
  return new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", reason, { fix, cause });
}

function findProgram(name: string, folders: readonly string[]): string | null {
  return folders.map((folder) => `${folder}/${name}`).find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Whatever the reason, a program that cannot be examined does not count.
    return false;
  }
}

const CLOSE_ON_EXEC = 0o2000000;

/** Whether a process waits for an event; a stopped one does not. */
export function isAsleep(pid: number): boolean {
  try {
    const state = readFileSync(`/proc/${pid}/stat`, "utf8");
    return state.startsWith(" S ", state.lastIndexOf(")") + 1);
  } catch {
    // It has ended.
    return false;
  }
}

/**
 * Descriptors above 2 that this process would pass on to a child. Node opens everything close-on-exec, but descriptors
 * inherited at the start may lack the flag, because Node's own clean-up ends at the first gap above 15; and terminals,
 * which native code opens, always lack it. On macOS Node.js passes on only the descriptors that it names
 * (POSIX_SPAWN_CLOEXEC_DEFAULT). `known` are descriptors that Node has opened and not closed.
 */
export function inheritedDescriptors(
  known: ReadonlySet<number>,
  platform: NodeJS.Platform = process.platform,
): readonly number[] {
  if (platform === "darwin") return [];
  return readdirSync("/proc/self/fdinfo")
    .map(Number)
    .filter((descriptor) => descriptor > 2 && !known.has(descriptor) && !isClosedOnExec(descriptor))
    .sort((a, b) => a - b);
}

function isClosedOnExec(descriptor: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8"))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) !== 0;
  } catch (error) {
    // The descriptor that listed the folder is gone by now.
    if (systemErrorCode(error) === "ENOENT") return true;
    throw error;
  }
}
