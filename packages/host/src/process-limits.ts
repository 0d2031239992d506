/** What a process may have by the limits it was started with. A host that runs into them in the middle of its work can do none of it well. */
import { readFileSync } from "node:fs";
import { FemtoError } from "@femtoclaw/protocol";
import type { Found } from "./doctor/finding.ts";

/**
 * LIMIT: open files that a host needs: forty by itself, nine for each of 64 programs, one for each of 336 connections
 * of agents. With fewer, agents could leave none for the journal just by holding connections.
 */
const OPEN_FILES_MIN = 1_024;

/** LIMIT: bytes of the largest file of a host, its reserve, without which it would take no calls as on a full disk. */
const FILE_BYTES_MIN = 134_217_728;

interface Limit {
  /** As the kernel calls it. */
  readonly name: string;
  readonly min: number;
  /** Completes what a process may. */
  text(most: number): string;
  readonly fix: string;
}

const OPEN_FILES: Limit = {
  name: "Max open files",
  min: OPEN_FILES_MIN,
  text: (most) => `have ${most} files open`,
  fix: "Raise the limit where it is started: `ulimit -n 4096` in a shell, LimitNOFILE= in a unit of systemd, --ulimit nofile= of a container.",
};

const FILE_BYTES: Limit = {
  name: "Max file size",
  min: FILE_BYTES_MIN,
  text: (most) => `write files of ${most} bytes`,
  fix: "Raise the limit where it is started: `ulimit -f unlimited` in a shell, LimitFSIZE= in a unit of systemd, --ulimit fsize= of a container.",
};

/** What `doctor` says of them. */
export const openFilesFinding = (): Found => finding(OPEN_FILES);
export const fileSizeFinding = (): Found => finding(FILE_BYTES);

function finding(limit: Limit): Found {
  const most = mostOf(limit);
  if (most === null) return { verdict: "ok", detail: "this system does not tell how many" };
  const fault = faultOf(limit, most);
  if (fault !== null) return { verdict: "fail", detail: fault, fix: limit.fix };
  return { verdict: "ok", detail: `this process may ${limit.text(most)}` };
}

/** Throws FEMTO_SURROUNDINGS if no host could work. */
export function requireLimits(): void {
  for (const limit of [OPEN_FILES, FILE_BYTES]) {
    const fault = faultOf(limit, mostOf(limit) ?? Number.POSITIVE_INFINITY);
    if (fault !== null) throw new FemtoError("FEMTO_SURROUNDINGS", fault, { fix: limit.fix });
  }
}

function faultOf({ min, text }: Limit, most: number): string | null {
  return most >= min ? null : `this process may ${text(most)}, and a host needs ${min}`;
}

/** What Node.js made of it: all that it may have. Null where the system does not tell. */
function mostOf({ name }: Limit): number | null {
  const found = new RegExp(`^${name}\\s+(\\d+|unlimited)`, "m").exec(limitsText())?.[1];
  if (found === undefined) return null;
  return found === "unlimited" ? Number.POSITIVE_INFINITY : Number(found);
}

function limitsText(): string {
  try {
    return readFileSync("/proc/self/limits", "utf8");
  } catch {
    // This is not Linux. The first file that cannot be opened will tell.
    return "";
  }
}
