/** The memory subsystem's I/O: takes the storage, opens the journal, brings the state back. */
import assert from "node:assert/strict";
import { Journal, writeIdentity } from "@femtoclaw/journal";
import { MACHINE_IDENTITIES } from "@femtoclaw/machines";
import { type BootId, errorText, FemtoError, type TypedRecord } from "@femtoclaw/protocol";
import type { EventObject } from "xstate";
import { type Announce, claimAnew, storageIn } from "../epochs/claim.ts";
import type { OpenedEpoch } from "../epochs/open-epoch.ts";
import type { Projection } from "../projection/projection.ts";
import { type Recovered, recover } from "../recovery.ts";
import type { Storage, Surroundings } from "../surroundings.ts";
import type { ActorSystem } from "../system.ts";
import { WatchedStore } from "./watched-store.ts";

export interface MemoryOptions {
  readonly system: ActorSystem;
  readonly stateDirectory: string;
  readonly boot: BootId;
  readonly surroundings: Pick<Surroundings, "clock" | "randomBytes" | "openStorage">;
  readonly snapshotEveryRecords?: number;
  readonly onEpoch?: Announce;
  onCommitted(records: readonly TypedRecord[]): void;
  onFailed(error: unknown): void;
}

export interface Memory extends Recovered {
  readonly journal: Journal;
  /** The epoch that this start had to open. */
  readonly epoch: OpenedEpoch | null;
  /** Writes down beside the journal that this boot has begun; called once its first record is durable. */
  remember(): Promise<void>;
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

async function openTaken(options: MemoryOptions, { store, keyring, claim }: Storage): Promise<Memory> {
  const { system, boot, surroundings, snapshotEveryRecords } = options;
  // The journal asks for the state only once something is appended, which is after the recovery.
  let projection: Projection | null = null;
  const recovered = (): Projection => {
    assert(projection !== null, "nothing is appended before the state is back");
    return projection;
  };
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
    ...(claim === null ? {} : { known: claim.known, ownOrigin: claim.ownOrigin }),
    onCreated: (origin) => identify(origin, null),
    projector: { apply: (record) => recovered().apply(record), snapshot: () => recovered().snapshot() },
    ...(snapshotEveryRecords === undefined ? {} : { snapshotEveryRecords }),
    onFailed: options.onFailed,
  });
  try {
    system.send("memory", { type: "opened" });
    const recovery = await recover(journal);
    projection = recovery.projection;
    const begun = { boot, seq: projection.size };
    journal.onCommitted(options.onCommitted);
    system.send("memory", { type: "verified" });
    const remember = (): Promise<void> => identify(journal.origin, begun);
    return { ...recovery, journal, epoch: claim?.epoch ?? null, remember };
  } catch (error) {
    await journal.close();
    throw error;
  }
}
