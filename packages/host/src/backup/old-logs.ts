/**
 * The logs in the folder `epochs` of a state directory or of a backup. Each has one of two forms: a database, or an
 * exported tree.
 */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  copyForVerification,
  type LogReader,
  type LogVerdict,
  StoreReader,
  TilesReader,
  TilesSource,
  type VerifyOptions,
  verifyDirectory,
  verifyLog,
} from "@femtoclaw/journal";
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
 * Whether a path below the folder of the logs belongs to a whole log or to the values beside one. INVARIANT: I7:
 * nothing else is backed up or restored. If a start found a half-made new log there, it would finish that log and take
 * its keys for those of the state directory. The keys of an old log are not needed, because they sign nothing any more.
 */
export function isPartOfLog(path: string): boolean {
  return /^[1-9][0-9]{0,8}(?:\/|\.values\.jsonl$)/.test(path) && !/\.pem$/.test(path);
}

/**
 * Verifies logs that are each followed by another, the last one by `next`; throws `code` for one that does not stand. A
 * host that was killed in its first moments leaves a log that no checkpoint vouches for. INVARIANT: I7: such a log
 * stands only if the log after it says that it continues from exactly this size and this root.
 */
export async function assertAllStand(folders: readonly string[], next: string, code: ErrorCode): Promise<void> {
  for (const [index, folder] of folders.entries()) {
    const verdict = await verdictOf(folder, code, {});
    if (
      verdict.fault === null ||
      verdict.signedSize > 0 ||
      !(await isGoneOnFrom(verdict, folders[index + 1] ?? next))
    ) {
      assertVerdict(folder, code, verdict);
    }
  }
}

async function isGoneOnFrom({ size, root }: LogVerdict, next: string): Promise<boolean> {
  await using opened = await readOldLog(next);
  for await (const record of opened.reader.read(0, 1)) {
    if (record.type !== "log.created") return false;
    const { parent } = record.body;
    return parent !== null && parent.size === size && parent.root === root;
  }
  return false;
}

async function readOldLog(folder: string): Promise<AsyncDisposable & { readonly reader: Pick<LogReader, "read"> }> {
  if (!isDatabase(folder)) {
    const reader = await TilesReader.open(folder);
    return { reader, [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose]() };
  }
  await using made = new AsyncDisposableStack();
  const copy = made.use(await copyForVerification(join(folder, "journal")));
  const { store, size } = await copy.open({ tableBytesMax: Number.POSITIVE_INFINITY });
  made.defer(() => store.close());
  const kept = made.move();
  return { reader: new StoreReader(store, size), [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/**
 * Verifies a log and returns the verdict; throws `code` for a log that does not stand. A pruned log stands as far as it
 * is kept.
 */
export async function assertStands(
  folder: string,
  code: ErrorCode,
  expected: Omit<VerifyOptions, "source"> = {},
): Promise<LogVerdict> {
  const verdict = await verdictOf(folder, code, expected);
  assertVerdict(folder, code, verdict);
  return verdict;
}

const isDatabase = (folder: string): boolean => existsSync(join(folder, "journal"));

async function verdictOf(
  folder: string,
  code: ErrorCode,
  expected: Omit<VerifyOptions, "source">,
): Promise<LogVerdict> {
  // INVARIANT: I7: what is verified is what is read afterwards, so a folder must not hold a log in both forms.
  if (isDatabase(folder) && existsSync(join(folder, "checkpoint"))) {
    throw new FemtoError(code, `${printable(folder, 4_096)} holds two logs`);
  }
  if (isDatabase(folder)) return await verifyDirectory(join(folder, "journal"), expected);
  return await verifyLog({ ...expected, source: new TilesSource(folder) });
}

function assertVerdict(folder: string, code: ErrorCode, verdict: LogVerdict): void {
  const { fault, pinned, prunedBefore } = verdict;
  if ((fault === null || prunedBefore > 0) && pinned !== "differs") return;
  const found = verdict.verdict === "unverifiable" ? "FEMTO_JOURNAL_FORMAT" : code;
  const place = fault === null ? "another key has signed it" : `record ${fault.seq}: ${fault.reason}`;
  throw new FemtoError(
    found,
    `the log in ${printable(folder, 4_096)} is ${verdict.verdict}: ${printable(place, 1_000)}`,
  );
}
