/** The memory subsystem's I/O: opens the journal, brings the state back, closes it. */
import assert from "node:assert/strict";
import { Journal } from "@femtoclaw/journal";
import { MACHINE_IDENTITIES } from "@femtoclaw/machines";
import { type BootId, errorText, FemtoError, type TypedRecord } from "@femtoclaw/protocol";
import type { EventObject } from "xstate";
import type { Projection } from "../projection/projection.ts";
import { type Recovered, recover } from "../recovery.ts";
import type { Surroundings } from "../surroundings.ts";
import type { ActorSystem } from "../system.ts";
import { WatchedStore } from "./watched-store.ts";

export interface MemoryOptions {
  readonly system: ActorSystem;
  readonly stateDirectory: string;
  readonly boot: BootId;
  readonly surroundings: Pick<Surroundings, "clock" | "randomBytes" | "openStorage">;
  readonly snapshotEveryRecords?: number;
  onCommitted(records: readonly TypedRecord[]): void;
  onFailed(error: unknown): void;
}

export interface Memory extends Recovered {
  readonly journal: Journal;
}

export async function openMemory(options: MemoryOptions): Promise<Memory> {
  const { system, boot, surroundings, snapshotEveryRecords } = options;
  system.send("memory", { type: "open" });
  try {
    const { store, keyring } = await surroundings.openStorage(options.stateDirectory);
    // The journal asks for the state only once something is appended, which is after the recovery.
    let projection: Projection | null = null;
    const recovered = (): Projection => {
      assert(projection !== null, "nothing is appended before the state is back");
      return projection;
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
      return { ...recovery, journal };
    } catch (error) {
      await journal.close();
      throw error;
    }
  } catch (error) {
    const code = error instanceof FemtoError ? error.code : "FEMTO_INTERNAL";
    system.send("memory", { type: "fail", fault: { code, reason: errorText(error) } } as EventObject);
    throw error;
  }
}
