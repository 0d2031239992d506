/**
 * Makes a state directory from a backup. The backed up log stays a separate, unchanged log, and a new one continues it,
 * because nobody here can know what the old log recorded after the backup was made.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { EPOCHS_FOLDER, type LogVerdict, syncTree, TilesReader, writeIdentity } from "@femtoclaw/journal";
import type { LogParent } from "@femtoclaw/protocol";
import { replay } from "../replay/replay.ts";
import { type FoundedLog, foundLog } from "./founding.ts";

const OWNER_ALL = 0o700;

/** A backup that was unpacked and verified. */
export interface RestoreOptions {
  /** The folder that becomes the state directory. Its folder `epochs` holds the log as an export. */
  readonly root: string;
  /** Name of that export. */
  readonly epoch: string;
  /** The result of its verification. */
  readonly verdict: LogVerdict;
}

/** The new log, and what was under way in the old one. */
export interface RestoredLog extends FoundedLog {
  /** The log that was backed up, as the first record of the new one names it. */
  readonly parent: LogParent;
  /** Executions whose outcome nobody knew when the backup was made. */
  readonly unresolved: number;
  /** Questions to operators that were open then. None of them can be answered any more. */
  readonly withdrawn: number;
}

/**
 * Begins the new log. INVARIANT: I2: nothing that waited for a yes, or was under way, goes on, because nobody here
 * knows how it ended elsewhere.
 */
export async function restoreLog({ root, epoch, verdict }: RestoreOptions): Promise<RestoredLog> {
  const old = join(root, EPOCHS_FOLDER, epoch);
  const log = { journal: join(root, "journal"), keys: join(root, "keys") };
  for (const path of [log.journal, log.keys]) await mkdir(path, { mode: OWNER_ALL });
  await using reader = await TilesReader.open(old);
  const { projection } = await replay(reader);
  const parent = parentOf(verdict);
  const founded = await foundLog({ parent, projection, log, stateFolder: old });
  await writeIdentity({ root, journal: log.journal, into: root }, { origin: founded.origin, boot: null });
  await syncTree(join(root, EPOCHS_FOLDER));
  const unresolved = projection.open.size + projection.unresolved.size;
  return { ...founded, parent, unresolved, withdrawn: projection.questions.size };
}

function parentOf({ keys, size, root }: LogVerdict): LogParent {
  const vkey = keys.at(-1)?.vkey;
  if (vkey === undefined) throw new TypeError("a log that was verified has a key");
  return { origin: vkey.slice(0, vkey.indexOf("+")), vkey, size, root, reason: "restore" };
}
