/** The logs of a state directory or a backup that stand under `epochs`, in either of their two forms. */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type LogVerdict, TilesSource, type VerifyOptions, verifyDirectory, verifyLog } from "@femtoclaw/journal";
import { type ErrorCode, FemtoError, printable, systemErrorCode } from "@femtoclaw/protocol";

/** Names of the folders, the oldest log first. */
export async function namesOfLogs(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw error;
  });
  return names.filter((name) => /^[1-9][0-9]{0,8}$/.test(name)).sort((left, right) => Number(left) - Number(right));
}

/**
 * Whether a path below the folder of the logs is one of a whole log or of the values beside it. INVARIANT: I7: nothing else
 * is taken along, and nothing else is put back: a start finishes what it finds there of a new log, and takes its keys for
 * those of the state directory. The keys of an old log sign nothing any more.
 */
export function isPartOfLog(path: string): boolean {
  return /^[1-9][0-9]{0,8}(?:\/|\.values\.jsonl$)/.test(path) && !/\.pem$/.test(path);
}

/** What a verification finds; throws the code for a log that does not stand. One that was pruned stands as far as it is kept. */
export async function assertStands(
  folder: string,
  code: ErrorCode,
  expected: Omit<VerifyOptions, "source"> = {},
): Promise<LogVerdict> {
  const isDatabase = existsSync(join(folder, "journal"));
  // INVARIANT: I7: what is verified is what is read afterwards, so a folder holds one log in one form.
  if (isDatabase && existsSync(join(folder, "checkpoint"))) {
    throw new FemtoError(code, `${printable(folder, 4_096)} holds two logs`);
  }
  const verdict = isDatabase
    ? await verifyDirectory(join(folder, "journal"), expected)
    : await verifyLog({ ...expected, source: new TilesSource(folder) });
  const { fault, pinned, prunedBefore } = verdict;
  if ((fault === null || prunedBefore > 0) && pinned !== "differs") return verdict;
  const found = verdict.verdict === "unverifiable" ? "FEMTO_JOURNAL_FORMAT" : code;
  const place = fault === null ? "another key has signed it" : `record ${fault.seq}: ${fault.reason}`;
  throw new FemtoError(
    found,
    `the log in ${printable(folder, 4_096)} is ${verdict.verdict}: ${printable(place, 1_000)}`,
  );
}
