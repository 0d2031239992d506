/** Begins a log that continues another one. It takes over some state, but nothing that was granted there. */
import { createHash, randomUUID } from "node:crypto";
import { open } from "node:fs/promises";
import { join } from "node:path";
import {
  FileKeyring,
  Journal,
  type JournalEntry,
  LeveldbStore,
  type NewLog,
  STATE_FILE,
  systemClock,
} from "@femtoclaw/journal";
import { MACHINE_IDENTITIES } from "@femtoclaw/machines";
import type { LogParent, Snapshot } from "@femtoclaw/protocol";
import type { Projection } from "../projection/projection.ts";

export interface FoundedLog {
  readonly origin: string;
  /** Its public key. */
  readonly vkey: string;
}

interface Founding {
  readonly parent: LogParent;
  /** The state after the last record that is continued. */
  readonly projection: Projection;
  /** Folders of the new log, which exist and are empty. */
  readonly log: Pick<NewLog, "journal" | "keys">;
  /** Folder that gets the file with the state. */
  readonly stateFolder: string;
}

export async function foundLog({ parent, projection, log, stateFolder }: Founding): Promise<FoundedLog> {
  const sha256 = await writeState(stateFolder, projection);
  const disabled = Object.entries(projection.overrides).flatMap(([name, enabled]) => (enabled ? [] : [name]));
  const covers = projection.size - 1;
  const { marks } = projection.sessions;
  const body = { disabled, state: { covers, sha256 }, ...(marks.length === 0 ? {} : { marks: [...marks] }) };
  const entries: JournalEntry[] = [
    // INVARIANT: marks carry over: what a principal may have read, it has still read in a log that continues this one.
    { type: "epoch.opened", session: null, execution: null, body },
    ...unknownOutcomes(projection),
  ];
  const journal = await Journal.open({
    store: new LeveldbStore(log.journal),
    keyring: new FileKeyring(log.keys),
    boot: randomUUID(),
    clock: systemClock(),
    machines: MACHINE_IDENTITIES,
    parent,
  });
  try {
    await Promise.all(entries.map((entry) => journal.append(entry)));
    for await (const record of journal.read(0, 1)) {
      if (record.type === "log.created") return { origin: record.body.origin, vkey: record.body.vkey };
    }
    throw new TypeError("a log begins with log.created");
  } finally {
    await journal.close();
  }
}

/** INVARIANT: I2: an execution with an unknown outcome stays known, is not run again, and waits for a resolution. */
function unknownOutcomes({ open, unresolved }: Projection): JournalEntry[] {
  const left = [
    ...[...unresolved].map(([execution, { seq, tool, session }]) => ({ execution, record: seq, tool, session })),
    ...[...open].map(([execution, { intent, tool, session }]) => ({ execution, record: intent, tool, session })),
  ];
  return left.map(({ execution, session, record, tool }) => {
    return { type: "execution.inherited", session, execution, body: { record, tool } };
  });
}

/** Writes the folded state as a separate snapshot, so that a holder of the old log can compare. Returns its digest. */
async function writeState(folder: string, projection: Projection): Promise<string> {
  const snapshot: Snapshot = { v: 1, seq: projection.size - 1, actors: projection.snapshot() };
  const text = `${JSON.stringify(snapshot)}\n`;
  const file = await open(join(folder, STATE_FILE), "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  return createHash("sha256").update(text).digest("hex");
}
