/** How many files this process may have open. A host that runs out of them in the middle of its work can do none of it well. */
import { readFileSync } from "node:fs";
import { FemtoError } from "@femtoclaw/protocol";
import type { Found } from "./doctor/finding.ts";

/**
 * LIMIT: open files that a host needs: forty by itself, nine for each of 64 programs, one for each of 336 connections of
 * agents. With less, agents that hold connections alone could leave none for the journal.
 */
const OPEN_FILES_MIN = 1_024;

/** What Node.js made of it: all that it may have. Infinite where the system does not tell. */
function openFilesMax(): number {
  const found = /^Max open files\s+(\d+)/m.exec(limitsText())?.[1];
  return found === undefined ? Number.POSITIVE_INFINITY : Number(found);
}

/** What `doctor` says of it. */
export function openFilesFinding(): Found {
  const most = openFilesMax();
  if (most === Number.POSITIVE_INFINITY) return { verdict: "ok", detail: "this system does not tell how many" };
  const detail = `this process may have ${most} files open`;
  if (most < OPEN_FILES_MIN) return { verdict: "fail", detail: `${detail}; a host needs ${OPEN_FILES_MIN}`, fix: FIX };
  return { verdict: "ok", detail };
}

/** Throws FEMTO_SURROUNDINGS where no host could work. */
export function requireOpenFiles(): void {
  const most = openFilesMax();
  if (most >= OPEN_FILES_MIN) return;
  const reason = `this process may have ${most} files open, and a host needs ${OPEN_FILES_MIN}`;
  throw new FemtoError("FEMTO_SURROUNDINGS", reason, { fix: FIX });
}

const FIX =
  "Raise the limit where it is started: `ulimit -n 4096` in a shell, LimitNOFILE= in a unit of systemd, --ulimit nofile= of a container.";

function limitsText(): string {
  try {
    return readFileSync("/proc/self/limits", "utf8");
  } catch {
    // No Linux; the first file that cannot be opened will tell.
    return "";
  }
}
