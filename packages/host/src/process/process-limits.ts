/**
 * The limits that a process was started with. A host that reaches one of them in the middle of its work can do nothing
 * properly any more.
 */
import { readFileSync } from "node:fs";
import { FemtoError } from "@femtoclaw/protocol";
import type { Found } from "../doctor/finding.ts";

/**
 * LIMIT: open files that a host needs: forty for itself, nine for each of 64 programs, and one for each of 336
 * connections of agents. With fewer, agents could leave none for the journal just by holding connections.
 */
const OPEN_FILES_MIN = 1_024;

/**
 * LIMIT: bytes of a host's largest file, which is its reserve of disk space. Without the reserve, it would take no
 * calls, as on a full disk.
 */
const FILE_BYTES_MIN = 134_217_728;

interface Limit {
  /** The kernel's name for the limit. */
  readonly name: string;
  readonly min: number;
  /** Completes a sentence that begins with "this process may". */
  text(most: number): string;
  readonly fix: string;
}

const OPEN_FILES: Limit = {
  name: "Max open files",
  min: OPEN_FILES_MIN,
  text: (most) => `have ${Number.isFinite(most) ? most : "any number of"} files open`,
  fix: "Raise the limit where it is started: `ulimit -n 4096` in a shell, LimitNOFILE= in a systemd unit, --ulimit nofile= for a container.",
};

const FILE_BYTES: Limit = {
  name: "Max file size",
  min: FILE_BYTES_MIN,
  text: (most) => `write files of ${Number.isFinite(most) ? `up to ${most} bytes` : "any size"}`,
  fix: "Raise the limit where it is started: `ulimit -f unlimited` in a shell, LimitFSIZE= in a systemd unit, --ulimit fsize= for a container.",
};

/** What `doctor` says about the limits. */
export const openFilesFinding = (): Found => finding(OPEN_FILES);
export const fileSizeFinding = (): Found => finding(FILE_BYTES);

function finding(limit: Limit): Found {
  const most = mostOf(limit);
  if (most === null) return { verdict: "ok", detail: "this system does not tell how many" };
  const fault = faultOf(limit, most);
  if (fault !== null) return { verdict: "fail", detail: fault, fix: limit.fix };
  return { verdict: "ok", detail: `this process may ${limit.text(most)}` };
}

/** Throws FEMTO_SURROUNDINGS if a host could not work within the limits. */
export function requireLimits(): void {
  for (const limit of [OPEN_FILES, FILE_BYTES]) {
    const fault = faultOf(limit, mostOf(limit) ?? Number.POSITIVE_INFINITY);
    if (fault !== null) throw new FemtoError("FEMTO_SURROUNDINGS", fault, { fix: limit.fix });
  }
}

function faultOf({ min, text }: Limit, most: number): string | null {
  return most >= min ? null : `this process may ${text(most)}, and a host needs ${min}`;
}

/**
 * The soft limit, which Node.js has raised for open files to all that it may have. Null if the system does not tell.
 */
function mostOf({ name }: Limit): number | null {
  const found = new RegExp(`^${name}\\s+(\\d+|unlimited)`, "m").exec(limitsText())?.[1];
  if (found === undefined) return null;
  return found === "unlimited" ? Number.POSITIVE_INFINITY : Number(found);
}

function limitsText(): string {
  try {
    return readFileSync("/proc/self/limits", "utf8");
  } catch {
    // This is not Linux. If the limit is too low, the first file that cannot be opened will tell.
    return "";
  }
}
