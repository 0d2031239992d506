/** The I/O of the memory subsystem: takes the storage, opens the journal, and recovers the state. */
import assert from "node:assert/strict";
import { Journal, ReopeningStore, sweepStaged, writeIdentity } from "@femtoclaw/journal/live";
import { MACHINE_IDENTITIES } from "@femtoclaw/machines";
import { type BootId, errorText, FemtoError, type TypedRecord } from "@femtoclaw/protocol";
import type { EventObject } from "xstate";
import type { ActorSystem } from "../actors/system.ts";
import { type Recovered, recover } from "../boot/recovery.ts";
import { type Announce, claimAnew, storageIn } from "../epochs/claim.ts";
import type { OpenedEpoch } from "../epochs/open-epoch.ts";
import type { LogEntry } from "../options.ts";
import type { Projection } from "../projection/projection.ts";
import { SessionHistories } from "../projection/session-histories.ts";
import type { Storage, Surroundings } from "../surroundings.ts";
import { DiskSpace } from "./disk-space.ts";
import { WatchedStore } from "./watched-store.ts";

interface MemoryOptions {
  readonly system: ActorSystem;
  readonly stateDirectory: string;
  readonly boot: BootId;
  readonly surroundings: Pick<Surroundings, "clock" | "randomBytes" | "openStorage">;
  readonly snapshotEveryRecords?: number;
  readonly onEpoch?: Announce;
  onCommitted(records: readonly TypedRecord[]): void;
  onFailed(error: unknown): void;
  /** Called with the reason when the disk is full, and with null when it has room again. */
  onSpace(full: string | null): void;
  log(entry: LogEntry): void;
}

export interface Memory extends Recovered {
  readonly journal: Journal;
  /** Histories after the newest numbered record, which is ahead of what is durable. */
  readonly histories: SessionHistories;
  /** The epoch that this start had to open; null if none. */
  readonly epoch: OpenedEpoch | null;
  /** Number of the first record of this boot. */
  readonly begun: number;
  /** Writes down beside the journal that this boot has begun. To be called once its first record is durable. */
  remember(): Promise<void>;
  readonly space: DiskSpace;
  /** Stops waiting for room on a full disk: what still finds none is not written. */
  stopWaiting(): void;
  /** Takes the last snapshot, lets `beforeEnd` use the journal once more, and closes it. */
  close(beforeEnd: () => Promise<void>): Promise<void>;
}

export async function openMemory(options: MemoryOptions): Promise<Memory> {
  const { system, surroundings, stateDirectory, onEpoch } = options;
  system.send("memory", { type: "open" });
  try {
    const storage = await surroundings.openStorage(stateDirectory, onEpoch);
    try {
      return await openTaken(options, storage);
    } catch (error) {
      const isOlder = error instanceof FemtoError && error.code === "FEMTO_STATE_ROLLED_BACK";
      if (!isOlder || storage.claim === null) throw error;
      return await openTaken(options, storageIn(await claimAnew(storage.claim.directory, "rollback", onEpoch)));
    }
  } catch (error) {
    const code = error instanceof FemtoError ? error.code : "FEMTO_INTERNAL";
    system.send("memory", { type: "fail", fault: { code, reason: errorText(error) } } as EventObject);
    throw error;
  }
}

async function openTaken(options: MemoryOptions, storage: Storage): Promise<Memory> {
  const space = await DiskSpace.open({
    clock: options.surroundings.clock,
    folder: storage.claim?.directory.root ?? null,
    onChange: (full) => options.onSpace(full),
    log: (entry) => options.log(entry),
  });
  try {
    return await openJournal(options, storage, space);
  } catch (error) {
    await space.stop();
    throw error;
  }
}

async function openJournal(
  options: MemoryOptions,
  { createStore, keyring, claim }: Storage,
  space: DiskSpace,
): Promise<Memory> {
  const { system, boot, surroundings, snapshotEveryRecords } = options;
  const store = new ReopeningStore({
    create: createStore,
    clock: surroundings.clock,
    onFull: (fault) => space.exhausted(fault.message),
  });
  // The journal asks for the state only when something is appended, and nothing is appended before the state is
  // recovered.
  let projection: Projection | null = null;
  const recovered = (): Projection => {
    assert(projection !== null, "nothing is appended before the state is back");
    return projection;
  };
  let histories: SessionHistories | null = null;
  const identify = async (origin: string, begun: { readonly boot: string; readonly seq: number } | null) => {
    if (claim === null) return;
    const { root, journal: folder } = claim.directory;
    await writeIdentity({ root, journal: folder, into: root }, { origin, boot: begun });
  };
  const journal = await Journal.open({
    store: new WatchedStore(store, {
      onCommit: () => system.send("memory", { type: "commit" }),
      onCommitted: () => system.send("memory", { type: "committed" }),
    }),
    keyring,
    boot,
    clock: surroundings.clock,
    machines: MACHINE_IDENTITIES,
    randomBytes: surroundings.randomBytes,
    // INVARIANT: I9: what is promised on a full disk fits into the reserve: records, and no values beside them.
    keepsValues: () => space.full === null,
    ...(claim === null ? {} : { known: claim.known, ownOrigin: claim.ownOrigin }),
    onCreated: (origin) => identify(origin, null),
    projector: { apply: (record) => recovered().apply(record), snapshot: () => recovered().snapshot() },
    onNumbered: (record) => histories?.apply(record),
    ...(snapshotEveryRecords === undefined ? {} : { snapshotEveryRecords }),
    onFailed: options.onFailed,
  });
  try {
    system.send("memory", { type: "opened" });
    // Only now, because only the process that has the journal open writes there.
    if (claim !== null) await sweepStaged(claim.directory.root);
    const recovery = await recover(journal);
    projection = recovery.projection;
    histories = new SessionHistories(projection.sessions.state);
    const begun = { boot, seq: projection.size };
    journal.onCommitted(options.onCommitted);
    system.send("memory", { type: "verified" });
    const remember = (): Promise<void> => identify(journal.origin, begun);
    if (space.full !== null) system.send("memory", { type: "exhausted" });
    const stopWaiting = (): void => store.stopWaiting();
    const close = (beforeEnd: () => Promise<void>): Promise<void> => closeMemory(options, journal, space, beforeEnd);
    const epoch = claim?.epoch ?? null;
    return { ...recovery, journal, histories, epoch, begun: begun.seq, remember, space, stopWaiting, close };
  } catch (error) {
    await journal.close();
    throw error;
  }
}

async function closeMemory(
  { system, log }: MemoryOptions,
  journal: Journal,
  space: DiskSpace,
  beforeEnd: () => Promise<void>,
): Promise<void> {
  await space.stop();
  // With a snapshot the next start need fold nothing. On a full disk, its room is left for what has to be written.
  if (space.full === null) {
    try {
      await journal.snapshot();
    } catch (error) {
      log({ level: "warn", event: "snapshot.failed", reason: errorText(error) });
    }
  }
  try {
    await beforeEnd();
  } finally {
    system.send("memory", { type: "close" });
    await journal.close();
    system.send("memory", { type: "closed" });
  }
}
