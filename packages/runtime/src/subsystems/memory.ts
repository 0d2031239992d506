/** The memory subsystem's I/O: opens the journal, brings the state back, closes it. */
import assert from "node:assert/strict";
import {
  type CommitGroup,
  FileKeyring,
  Journal,
  LeveldbStore,
  openStateDirectory,
  ReopeningStore,
} from "@femtoclaw/journal";
import { type BootId, errorText, FemtoError, type TypedRecord } from "@femtoclaw/protocol";
import type { EventObject } from "xstate";
import type { Clock } from "../clock.ts";
import type { LogEntry } from "../options.ts";
import type { Projection } from "../projection/projection.ts";
import { type Recovered, recover } from "../recovery.ts";
import type { ActorSystem } from "../system.ts";
import { DiskSpace } from "./disk-space.ts";

export interface MemoryOptions {
  readonly system: ActorSystem;
  readonly stateDirectory: string;
  readonly boot: BootId;
  readonly clock: Clock;
  readonly snapshotEveryRecords?: number;
  onCommitted(records: readonly TypedRecord[]): void;
  onFailed(error: unknown): void;
  /** Hears why the disk is full, and null when it has room again. */
  onSpace(full: string | null): void;
  log(entry: LogEntry): void;
}

export interface Memory extends Recovered {
  readonly journal: Journal;
  readonly space: DiskSpace;
  /** Ends the waiting for room on a full disk: what still finds none is not written. */
  stopWaiting(): void;
}

export async function openMemory(options: MemoryOptions): Promise<Memory> {
  const { system, boot, clock, snapshotEveryRecords } = options;
  system.send("memory", { type: "open" });
  let space: DiskSpace | null = null;
  try {
    const { root, journal: path, keys } = await openStateDirectory(options.stateDirectory, { create: true });
    space = await DiskSpace.open({
      folder: root,
      onChange: (full) => options.onSpace(full),
      log: (entry) => options.log(entry),
    });
    const store = new WatchedStore(path, system, space);
    // The journal asks for the state only once something is appended, which is after the recovery.
    let projection: Projection | null = null;
    const recovered = (): Projection => {
      assert(projection !== null, "nothing is appended before the state is back");
      return projection;
    };
    const journal = await Journal.open({
      store,
      keyring: new FileKeyring(keys),
      boot,
      clock,
      projector: { apply: (record) => recovered().apply(record), snapshot: () => recovered().snapshot() },
      ...(snapshotEveryRecords === undefined ? {} : { snapshotEveryRecords }),
      onFailed: options.onFailed,
    });
    try {
      system.send("memory", { type: "opened" });
      const recovery = await recover(journal);
      projection = recovery.projection;
      journal.onCommitted(options.onCommitted);
      system.send("memory", { type: "verified" });
      if (space.full !== null) system.send("memory", { type: "exhausted" });
      return { ...recovery, journal, space, stopWaiting: () => store.stopWaiting() };
    } catch (error) {
      await journal.close();
      throw error;
    }
  } catch (error) {
    space?.stop();
    const code = error instanceof FemtoError ? error.code : "FEMTO_INTERNAL";
    system.send("memory", { type: "fail", fault: { code, reason: errorText(error) } } as EventObject);
    throw error;
  }
}

/** Shows the memory machine each commit, so that its state is what the disk is doing. */
class WatchedStore extends ReopeningStore {
  readonly #system: ActorSystem;

  constructor(path: string, system: ActorSystem, space: DiskSpace) {
    super({
      create: () => new LeveldbStore(path),
      onFull: (fault) => space.exhausted(fault.message),
    });
    this.#system = system;
  }

  override async append(group: CommitGroup): Promise<void> {
    this.#system.send("memory", { type: "commit" });
    await super.append(group);
    this.#system.send("memory", { type: "committed" });
  }
}
