/**
 * Continues in a new log when the old one must not be continued: in a state directory that is a copy, or whose journal
 * was put back. The old log is read from a copy and set aside, unchanged to the byte.
 */
import { rm } from "node:fs/promises";
import {
  beginsWith,
  type Checkpoint,
  copyForVerification,
  decide,
  type LogReader,
  parentAt,
  prepareNewLog,
  StoreReader,
  StoreSource,
  verifyLog,
  writeIdentity,
} from "@femtoclaw/journal";
import { FemtoError, type LogParent } from "@femtoclaw/protocol";
import { recover } from "../boot/recovery.ts";
import { type FoundedLog, foundLog } from "./founding.ts";

/** The log that will take the place of another one, before it does. */
export interface OpenedEpoch extends FoundedLog {
  /** The old log, and why it is not continued. */
  readonly parent: LogParent;
  /** The key that the old log began with. */
  readonly firstKey: string;
  /** Where the old log will be kept. */
  readonly standsIn: string;
  /** Whether the old log begins with the tree of a checkpoint. May be asked only while the epoch is announced. */
  beginsWith(checkpoint: Checkpoint): Promise<boolean>;
}

export interface EpochOptions {
  /** The state directory. */
  readonly root: string;
  readonly journal: string;
  readonly reason: LogParent["reason"];
  /** Called with the new log before it takes the place of the old one. If this throws, it does not. */
  readonly announce?: (epoch: OpenedEpoch) => Promise<void> | void;
}

/** Decides on the new log; `finishSuccession` puts it in place. Null if the old log holds no record. */
export async function openEpoch({ root, journal, reason, announce }: EpochOptions): Promise<OpenedEpoch | null> {
  await using copy = await copyForVerification(journal);
  const { store, size } = await copy.open({ tableBytesMax: Number.POSITIVE_INFINITY });
  try {
    if (size === 0) return null;
    await assertSound(new StoreSource(store, size));
    const reader = new StoreReader(store, size);
    const parent = await parentAt(reader, size, reason);
    const { projection } = await recover(reader);
    const log = await prepareNewLog(root);
    try {
      const founded = await foundLog({ parent, projection, log, stateFolder: log.folder });
      const folders = { root, journal: log.journal, into: log.folder };
      await writeIdentity(folders, { origin: founded.origin, boot: null });
      const epoch: OpenedEpoch = {
        ...founded,
        parent,
        firstKey: await firstKeyOf(reader),
        standsIn: log.oldLog,
        beginsWith: (checkpoint) => beginsWith(reader, checkpoint),
      };
      await announce?.(epoch);
      await decide(root, log);
      return epoch;
    } catch (error) {
      // Nothing was decided, and the key of a log that never came to be is useless.
      await rm(log.folder, { recursive: true, force: true });
      throw error;
    }
  } finally {
    await store.close();
  }
}

/** INVARIANT: I7: a log that was tampered with is not continued, or the new log would vouch for it. */
async function assertSound(source: StoreSource): Promise<void> {
  const { verdict, fault } = await verifyLog({ source });
  if (verdict === "unverifiable") throw new FemtoError("FEMTO_JOURNAL_FORMAT", fault?.reason ?? verdict);
  if (verdict === "tampered") {
    throw new FemtoError("FEMTO_JOURNAL_CORRUPT", `record ${fault?.seq ?? 0}: ${fault?.reason ?? verdict}`);
  }
}

async function firstKeyOf(reader: LogReader): Promise<string> {
  for await (const record of reader.read(0, 1)) if (record.type === "log.created") return record.body.vkey;
  throw new FemtoError("FEMTO_JOURNAL_CORRUPT", "record 0 names no key");
}
