/**
 * Checks a LevelDB directory before LevelDB opens it. LevelDB skips damaged log records and then rewrites the log,
 * which would destroy acknowledged records and the evidence in one step.
 */
import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { errorText, FemtoError, faultOf, printable, systemErrorCode } from "@femtoclaw/protocol";
import { damage, scanLog } from "./leveldb-log.ts";
import { readManifest } from "./leveldb-manifest.ts";
import { checkTable } from "./leveldb-table.ts";
import { TableFile } from "./table-file.ts";

interface LeveldbFiles {
  /** Whether nothing was stored yet, so that LevelDB may create its files. */
  readonly fresh: boolean;
}

const CURRENT = "CURRENT";
const FIRST_MANIFEST = "MANIFEST-000001";

/**
 * LIMIT: bytes of tables checked before opening, newest first. What a start reads of a journal fits into them many
 * times over, and each further MiB would cost a millisecond or two.
 */
const TABLE_BYTES_MAX = 8 << 20;

/**
 * Checks what LevelDB would rely on, without changing it: every byte of the logs, the MANIFEST and the newest tables.
 * Older tables only have to exist; damage inside them shows against the tree. Throws FEMTO_JOURNAL_CORRUPT with file
 * and byte for anything but a last record that a crash cut short.
 */
export async function inspectLeveldbFiles(
  directory: string,
  tableBytesMax: number = TABLE_BYTES_MAX,
): Promise<LeveldbFiles> {
  const names = await namesIn(directory);
  if (!names.includes(CURRENT)) {
    // Without CURRENT, LevelDB would start afresh and delete what it finds. Before it writes CURRENT, it writes only
    // its first MANIFEST.
    const stray = names.find((name) => /^(?:\d+\.(?:log|ldb|sst)|MANIFEST-\d+)$/.test(name) && name !== FIRST_MANIFEST);
    if (stray !== undefined) throw damage(join(directory, CURRENT), 0, `the file is missing, although ${stray} exists`);
    return { fresh: true };
  }
  const current = join(directory, CURRENT);
  const manifestName = /^(MANIFEST-\d{6,})\n$/.exec((await contents(current)).toString("latin1"))?.[1];
  if (manifestName === undefined) throw damage(current, 0, "the file does not name a MANIFEST");
  const manifestFile = join(directory, manifestName);
  const manifest = readManifest(manifestFile, await contents(manifestFile));
  await checkLogs(directory, names, manifest.logNumber, manifestFile);
  await checkTables(directory, names, manifest.tables, tableBytesMax);
  return { fresh: false };
}

async function checkLogs(directory: string, names: string[], logNumber: number, manifestFile: string): Promise<void> {
  const live = names
    .map((name) => ({ name, number: Number(/^(\d+)\.log$/.exec(name)?.[1] ?? Number.NaN) }))
    .filter((log) => log.number >= logNumber)
    .sort((left, right) => left.number - right.number);
  // Log number 0 means that the directory was created but never opened again.
  if (logNumber !== 0 && live[0]?.number !== logNumber) {
    throw damage(manifestFile, 0, `log ${logNumber}, which it names, is missing`);
  }
  let tornFile: string | null = null;
  let tornAt = 0;
  for (const { name } of live) {
    const file = join(directory, name);
    const bytes = await contents(file);
    // A crash while opening leaves an empty log after the one that was being recovered.
    if (bytes.length > 0 && tornFile !== null) {
      throw damage(tornFile, tornAt, "the log ends within a record, although another log follows");
    }
    const scan = scanLog(file, bytes, () => undefined);
    if (scan.tornAt !== null) {
      tornFile = file;
      tornAt = scan.tornAt;
    }
  }
}

async function checkTables(
  directory: string,
  names: readonly string[],
  tables: ReadonlyMap<number, number>,
  tableBytesMax: number,
): Promise<void> {
  const present = new Set(names);
  const newestFirst = [...tables].sort(([left], [right]) => right - left);
  const toCheck: { readonly file: string; readonly size: number }[] = [];
  let left = tableBytesMax;
  for (const [number, size] of newestFirst) {
    const base = String(number).padStart(6, "0");
    const name = [`${base}.ldb`, `${base}.sst`].find((candidate) => present.has(candidate));
    if (name === undefined) throw damage(join(directory, `${base}.ldb`), 0, "the table is missing");
    if (left > 0) toCheck.push({ file: join(directory, name), size });
    left -= size;
  }
  for (const { file, size } of toCheck) {
    checkTableFile(file, size);
    // Let other work proceed between two tables.
    await setImmediate();
  }
}

function checkTableFile(file: string, size: number): void {
  try {
    using table = TableFile.open(file, size);
    checkTable(file, table);
  } catch (error) {
    throw error instanceof FemtoError ? error : unreadable(file, error);
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    throw unreadable(directory, error);
  }
}

async function contents(file: string): Promise<Buffer> {
  try {
    // Reading a pipe or device in the file's place could block for ever.
    if (!(await lstat(file)).isFile()) throw damage(file, 0, "this is not a regular file");
    return await readFile(file);
  } catch (error) {
    throw error instanceof FemtoError ? error : unreadable(file, error);
  }
}

export const isForbidden = (code: string): boolean => code === "EACCES" || code === "EPERM";

/** INVARIANT: a file that this process may not read is not called damaged, or somebody would restore an older state. */
export function unreadable(path: string, error: unknown): FemtoError {
  const code = systemErrorCode(error) ?? errorText(error);
  const reason = `${printable(path, 4_096)} cannot be read: ${code}`;
  if (isForbidden(code)) {
    const fix =
      "Run the command as the user who runs the host, or give the file back to that user with chown. Nothing is damaged.";
    return new FemtoError("FEMTO_STATE_OWNER", reason, { fix, cause: error });
  }
  if (code === "EMFILE" || code === "ENFILE") return faultOf(error);
  return new FemtoError("FEMTO_JOURNAL_CORRUPT", reason, { cause: error });
}
