/**
 * A fork: a new state directory whose log continues another log from one of its records. It holds the old log as an
 * export that anyone can verify, and the state that it had folded to. Making a fork runs nothing.
 */
import { mkdir, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { EPOCHS_FOLDER, exportTiles, type LogReader, parentAt, syncTree, writeIdentity } from "@femtoclaw/journal";
import { errorText, FemtoError, type Fork, printable, systemErrorCode } from "@femtoclaw/protocol";
import { replay } from "../replay/replay.ts";
import { foundLog } from "./founding.ts";
import { freePlace } from "./free-place.ts";
import { putInPlace, WorkFolder } from "./work-folder.ts";

const OWNER_ALL = 0o700;

/** From where a log is continued, and to where. */
export interface ForkOptions {
  /** The log; a checkpoint must cover the record. */
  readonly reader: LogReader;
  /** The last record that the fork continues from. */
  readonly seq: number;
  /** State directory of the fork: an absolute path where nothing is, or an empty folder. */
  readonly out: string;
  /** State directory of the log. */
  readonly stateDirectory: string;
  /** Called with what an interrupted fork had left there and was removed. */
  readonly say?: (line: string) => void;
}

/** Makes a fork completely or not at all. Throws FEMTO_FORK_REFUSED for an impossible record or place. */
export async function forkLog(options: ForkOptions): Promise<Fork> {
  const { reader, seq, stateDirectory } = options;
  if (!Number.isSafeInteger(seq) || seq < 0 || seq >= reader.size) {
    const reason = `the journal holds records 0 to ${reader.size - 1}, and ${seq} is not one of them`;
    throw new FemtoError("FEMTO_FORK_REFUSED", reason, { fix: "Name the last record that the fork should contain." });
  }
  const directory = await freePlace(options.out, "FEMTO_FORK_REFUSED");
  const own = await realpath(stateDirectory);
  if (`${directory}/`.startsWith(`${own}/`)) throw refused(`${printable(directory)} lies in the state directory`);
  try {
    await using work = await WorkFolder.open(dirname(directory), "fork", options.say ?? (() => undefined));
    const making = join(work.path, "state");
    const fork = await makeFork(options, making);
    // INVARIANT: the place named by the operator holds the complete fork, or nothing.
    await putInPlace(making, directory);
    return { ...fork, directory };
  } catch (error) {
    if (error instanceof FemtoError) throw error;
    throw refused(`${printable(directory)} cannot be written: ${systemErrorCode(error) ?? errorText(error)}`, error);
  }
}

async function makeFork({ reader, seq }: ForkOptions, root: string): Promise<Omit<Fork, "directory">> {
  const { projection } = await replay(reader, { to: seq });
  const parent = await parentAt(reader, seq + 1, "fork");
  const log = { journal: join(root, "journal"), keys: join(root, "keys") };
  const epochs = join(root, EPOCHS_FOLDER);
  for (const path of [root, log.journal, log.keys, epochs]) await mkdir(path, { mode: OWNER_ALL });
  const old = join(epochs, "1");
  await exportTiles(reader, old, seq + 1);
  const founded = await foundLog({ parent, projection, log, stateFolder: old });
  await writeIdentity({ root, journal: log.journal, into: root }, { origin: founded.origin, boot: null });
  await syncTree(epochs);
  return { ...founded, parent, unresolved: projection.open.size + projection.unresolved.size };
}

function refused(reason: string, cause?: unknown): FemtoError {
  return new FemtoError("FEMTO_FORK_REFUSED", reason, { cause });
}
