/**
 * Folds history with the machine versions that its records name, instead of those of this FemtoClaw, and compares the
 * result with what was recorded: every step, and the digests at every snapshot.
 */
import { isDeepStrictEqual } from "node:util";
import { type ActorSnapshots, snapshotDigests, snapshotMismatch } from "@femtoclaw/journal";
import {
  errorText,
  FemtoError,
  MACHINE_OF,
  type MachineId,
  type MachineIdentity,
  type Snapshot,
  type SnapshotDigest,
  type TypedRecord,
} from "@femtoclaw/protocol";
import { knowsKept } from "../projection/holders.ts";
import { type FoldingMachine, LIVE_MACHINES } from "../projection/machine-set.ts";
import { Projection } from "../projection/projection.ts";
import type { Divergence, MachineUse, Obstacle } from "./divergence.ts";
import { FrozenMachines, nameOf } from "./frozen-machines.ts";
import type { FoldedLog } from "./replay.ts";
import { asStored, stateDifferences } from "./state-difference.ts";

/** Which part of a log is recomputed. */
export interface RecomputeOptions {
  /** Last record to fold; by default all are folded. */
  readonly to?: number;
  /** A proved snapshot to start from; by default the fold starts at the first record. */
  readonly from?: Snapshot;
  /** Where machine versions come from; by default this FemtoClaw's own. */
  readonly machines?: FrozenMachines;
}

/** The result, in words and as the state at the end. */
export interface Recomputation {
  /**
   * `diverges`: a record is not what its machine makes of history. `not-recomputable`: a machine is missing.
   * `unverifiable`: a record is of another format.
   */
  readonly verdict: "recomputed" | "diverges" | "not-recomputable" | "unverifiable";
  /** The first record that diverges; null if none does. */
  readonly divergence: Divergence | null;
  /** What stopped the recomputation; null if it came to the end. */
  readonly obstacle: Obstacle | null;
  /** Records that were folded successfully. */
  readonly records: number;
  /** Snapshots whose recorded digests equal those of the fold. */
  readonly snapshotsEqual: number;
  /** Versions that were folded with, and from which record on. */
  readonly machines: readonly MachineUse[];
  /** State of every actor where the fold ended. */
  readonly actors: ActorSnapshots;
}

/** Recomputes a log. Throws the reader's error for a log that cannot be read; otherwise returns a verdict. */
export async function recompute(log: FoldedLog, options: RecomputeOptions = {}): Promise<Recomputation> {
  const run = new Run(log, options.machines ?? new FrozenMachines());
  try {
    if (options.from !== undefined) await run.begin(options.from);
    for await (const record of log.read(run.size, (options.to ?? log.size) + 1)) await run.fold(record);
    return run.end("recomputed");
  } catch (error) {
    if (error instanceof Diverged) return run.end("diverges", { divergence: error.divergence });
    if (error instanceof Unavailable) return run.end("not-recomputable", { obstacle: error.obstacle });
    if (error instanceof FemtoError && error.code === "FEMTO_JOURNAL_FORMAT") {
      return run.end("unverifiable", { obstacle: { seq: run.size, reason: error.message } });
    }
    throw error;
  }
}

class Diverged extends Error {
  readonly divergence: Divergence;

  constructor(divergence: Divergence) {
    super(divergence.reason);
    this.divergence = divergence;
  }
}

class Unavailable extends Error {
  readonly obstacle: Obstacle;

  constructor(obstacle: Obstacle) {
    super(obstacle.reason);
    this.obstacle = obstacle;
  }
}

class Run {
  readonly #log: FoldedLog;
  readonly #machines: FrozenMachines;
  readonly #inForce = new Map<MachineId, MachineUse>();
  readonly #uses: MachineUse[] = [];
  #projection = new Projection();
  #records = 0;
  #snapshotsEqual = 0;

  constructor(log: FoldedLog, machines: FrozenMachines) {
    this.#log = log;
    this.#machines = machines;
  }

  /** The next record to fold. */
  get size(): number {
    return this.#projection.size;
  }

  /** Restores the states of a proved snapshot into the machines that it names. */
  async begin({ seq, actors }: Snapshot): Promise<void> {
    let machines = LIVE_MACHINES;
    for (const identity of this.#machinesOf(seq, actors)) {
      machines = { ...machines, [identity.id]: await this.#available(seq, identity) };
      this.#use(seq + 1, identity);
    }
    try {
      this.#projection = Projection.restore(seq, actors, machines);
    } catch (error) {
      const reason = `the snapshot after record ${seq} cannot be gone on from: ${errorText(error)}`;
      const isUnknown = error instanceof FemtoError && error.code === "FEMTO_JOURNAL_FORMAT";
      if (isUnknown) throw new Unavailable({ seq, reason });
      // The log's own record vouches for states that none of its machines can be in.
      const at = { seq: seq + 1, type: "snapshot.taken", actor: "snapshot", machine: null } as const;
      throw new Diverged({ ...at, reason, recorded: actors, recomputed: null, differences: [] });
    }
  }

  async fold(record: TypedRecord): Promise<void> {
    const { machine, type } = record;
    if (machine.id !== MACHINE_OF[type]) {
      const sides = { recorded: machine.id, recomputed: MACHINE_OF[type] };
      throw this.#diverged(record, machine.id, `a ${type} record is folded by the ${MACHINE_OF[type]} machine`, sides);
    }
    if (!this.#isInForce(machine)) await this.#takeOver(record, machine);
    if (type === "snapshot.taken") await this.#compare(record);
    try {
      this.#projection.apply(record);
    } catch (error) {
      const sides = { recorded: record.body, recomputed: this.#stateFor(record) };
      throw this.#diverged(record, machine.id, errorText(error), sides);
    }
    this.#records += 1;
  }

  end(
    verdict: Recomputation["verdict"],
    why: { readonly divergence?: Divergence; readonly obstacle?: Obstacle } = {},
  ): Recomputation {
    return {
      verdict,
      divergence: why.divergence ?? null,
      obstacle: why.obstacle ?? null,
      records: this.#records,
      snapshotsEqual: this.#snapshotsEqual,
      machines: this.#uses,
      actors: this.#projection.snapshot(),
    };
  }

  #isInForce({ id, version, sha256 }: MachineIdentity): boolean {
    const use = this.#inForce.get(id);
    return use?.version === version && use.sha256 === sha256;
  }

  async #takeOver(record: TypedRecord, identity: MachineIdentity): Promise<void> {
    const machine = await this.#available(record.seq, identity);
    try {
      this.#projection.takeOver(record, machine);
    } catch (error) {
      const sides = { recorded: identity, recomputed: this.#stateFor(record) };
      throw this.#diverged(record, identity.id, errorText(error), sides);
    }
    this.#use(record.seq, identity);
  }

  /** INVARIANT: I6: history that names a missing machine is neither confirmed nor convicted. */
  async #available(seq: number, identity: MachineIdentity): Promise<FoldingMachine> {
    const machine = await this.#machines.find(identity);
    if (machine !== null) return machine;
    throw new Unavailable({ seq, reason: `the machine ${nameOf(identity)} is not available here` });
  }

  #use(from: number, { id, version, sha256 }: MachineIdentity): void {
    const use = { id, version, sha256, from };
    this.#inForce.set(id, use);
    this.#uses.push(use);
  }

  /** Each machine that holds one of these states. Throws for a state that nothing here can hold. */
  #machinesOf(seq: number, holders: Readonly<Record<string, Omit<SnapshotDigest, "sha256">>>): MachineIdentity[] {
    const own = this.#projection.holders;
    return Object.entries(holders).flatMap(([actor, { machine, version, definition }]) => {
      const holder = Object.hasOwn(own, actor) ? own[actor] : undefined;
      // What an actor keeps beside its machine's state has a version of its own, appended to the machine's.
      const [machineVersion = ""] = version.split(".");
      const isKnown = definition === null ? holder?.version === version : knowsKept(actor, version);
      if (holder?.machine !== machine || !isKnown) {
        throw new Unavailable({
          seq,
          reason: `the state of \`${actor}\` in ${machine} version ${version} is not known here`,
        });
      }
      return definition === null ? [] : [{ id: machine as MachineId, version: machineVersion, sha256: definition }];
    });
  }

  /** Compares a snapshot's record, which has the digests of every state before it and names every machine in force. */
  async #compare(record: TypedRecord & { readonly type: "snapshot.taken" }): Promise<void> {
    const { covers, actors: recorded } = record.body;
    for (const identity of this.#machinesOf(record.seq, recorded)) {
      if (!this.#isInForce(identity)) await this.#takeOver(record, identity);
    }
    if (covers !== record.seq - 1) {
      const sides = { recorded: covers, recomputed: record.seq - 1 };
      throw this.#diverged(record, "memory", "the snapshot does not cover the record before it", sides);
    }
    const actors = asStored(this.#projection.snapshot());
    const digests = snapshotDigests(actors);
    const held = new Set([...Object.keys(digests), ...Object.keys(recorded)]);
    const differing = [...held].find((actor) => !isDeepStrictEqual(digests[actor], recorded[actor]));
    if (differing !== undefined) await this.#explain(record, differing, actors);
    this.#snapshotsEqual += 1;
  }

  /** If a stored snapshot matches the record, the difference can be shown place by place. */
  async #explain(
    record: TypedRecord & { readonly type: "snapshot.taken" },
    actor: string,
    actors: ActorSnapshots,
  ): Promise<void> {
    const snapshot = await this.#log.snapshotAt(record.body.covers).catch(() => null);
    const proved = snapshot !== null && snapshotMismatch(record.body, snapshot) === undefined ? snapshot.actors : null;
    const differences = proved === null ? [] : stateDifferences(proved, actors);
    // The same state with its keys in another order has another digest.
    if (proved !== null && differences.length === 0) return;
    const digest = record.body.actors[actor]?.sha256 ?? null;
    const sides = {
      recorded: proved === null ? { sha256: digest } : (proved[actor]?.state ?? null),
      recomputed: proved === null ? { sha256: snapshotDigests(actors)[actor]?.sha256 } : (actors[actor]?.state ?? null),
    };
    const id = actors[actor]?.definition === null ? null : (actors[actor]?.machine as MachineId);
    const reason = `the state of \`${actor}\` in the snapshot after record ${record.body.covers} is not what its machine makes of the records`;
    throw this.#diverged(record, id, reason, { ...sides, differences, actor });
  }

  #stateFor({ machine: { id }, execution }: TypedRecord): unknown {
    if (id !== "execution") return this.#projection.machine(id);
    return execution === null ? null : (this.#projection.open.get(execution) ?? null);
  }

  #diverged(
    { seq, type }: TypedRecord,
    id: MachineId | null,
    reason: string,
    sides: Pick<Divergence, "recorded" | "recomputed"> & Partial<Pick<Divergence, "differences" | "actor">>,
  ): Diverged {
    const use = id === null ? undefined : this.#inForce.get(id);
    const machine = use === undefined ? null : { id: use.id, version: use.version, sha256: use.sha256 };
    const actor = id === "execution" ? "executions" : (id ?? "");
    return new Diverged({ seq, type, actor, machine, reason, differences: [], ...sides });
  }
}
