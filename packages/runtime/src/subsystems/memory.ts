/** The memory subsystem's I/O: claims the state directory, opens the journal, brings the state back. */
import assert from "node:assert/strict";
import { type CommitGroup, FileKeyring, Journal, LeveldbStore, writeIdentity } from "@femtoclaw/journal";
import { type BootId, errorText, FemtoError, type TypedRecord } from "@femtoclaw/protocol";
import type { EventObject } from "xstate";
import type { Clock } from "../clock.ts";
import { type Announce, type Claim, claimAnew, claimDirectory } from "../epochs/claim.ts";
import type { OpenedEpoch } from "../epochs/open-epoch.ts";
import type { Projection } from "../projection/projection.ts";
import { type Recovered, recover } from "../recovery.ts";
import type { ActorSystem } from "../system.ts";

export interface MemoryOptions {
  readonly system: ActorSystem;
  readonly stateDirectory: string;
  readonly boot: BootId;
  readonly clock: Clock;
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
  const { system } = options;
  system.send("memory", { type: "open" });
  try {
    const claim = await claimDirectory(options.stateDirectory, options.onEpoch);
    try {
      return await openClaimed(options, claim);
    } catch (error) {
      if (!(error instanceof FemtoError) || error.code !== "FEMTO_STATE_ROLLED_BACK") throw error;
      return await openClaimed(options, await claimAnew(claim.directory, "rollback", options.onEpoch));
    }
  } catch (error) {
    const code = error instanceof FemtoError ? error.code : "FEMTO_INTERNAL";
    system.send("memory", { type: "fail", fault: { code, reason: errorText(error) } } as EventObject);
    throw error;
  }
}

async function openClaimed(options: MemoryOptions, { directory, known, ownOrigin, epoch }: Claim): Promise<Memory> {
  const { system, boot, clock, snapshotEveryRecords } = options;
  // The journal asks for the state only once something is appended, which is after the recovery.
  let projection: Projection | null = null;
  const recovered = (): Projection => {
    assert(projection !== null, "nothing is appended before the state is back");
    return projection;
  };
  const folders = { root: directory.root, journal: directory.journal, into: directory.root };
  const journal = await Journal.open({
    store: new WatchedStore(directory.journal, system),
    keyring: new FileKeyring(directory.keys),
    boot,
    clock,
    known,
    ownOrigin,
    onCreated: (origin) => writeIdentity(folders, { origin, boot: null }),
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
    const remember = (): Promise<void> => writeIdentity(folders, { origin: journal.origin, boot: begun });
    return { ...recovery, journal, epoch, remember };
  } catch (error) {
    await journal.close();
    throw error;
  }
}

/** Shows the memory machine each commit, so that its state is what the disk is doing. */
class WatchedStore extends LeveldbStore {
  readonly #system: ActorSystem;

  constructor(path: string, system: ActorSystem) {
    super(path);
    this.#system = system;
  }

  override async append(group: CommitGroup): Promise<void> {
    this.#system.send("memory", { type: "commit" });
    await super.append(group);
    this.#system.send("memory", { type: "committed" });
  }
}
