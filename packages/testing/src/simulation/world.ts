/** The machine that a runtime lives on, boot after boot: its disk, keys, time and randomness. */

import type { EnforceablePolicy, PolicyEngine } from "@femtoclaw/policy";
import { createRuntime, type Runtime } from "@femtoclaw/runtime";
import { MemoryDisk } from "../in-memory/index.ts";
import { PERMIT, simulatedCapabilities } from "./capabilities.ts";
import { Life } from "./life.ts";
import { Divergence, Oracle } from "./oracle.ts";
import { POLICIES, type SimulatedEngines } from "./policies.ts";
import type { Random } from "./random.ts";
import { type KeyFolder, SimulatedKeyring } from "./simulated-keyring.ts";
import { type Fate, type FateKind, SimulatedStore } from "./simulated-store.ts";
import { SimulatedTime, turns } from "./simulated-time.ts";

/** A process that is starting or runs. */
export interface Boot {
  readonly life: Life;
  /** Every store of this life; after a failed write a new one replaces the last. */
  readonly stores: readonly SimulatedStore[];
  /** Rejects when the start fails. */
  readonly started: Promise<Runtime>;
}

/** How often each outcome happens to a group. */
export type FateWeights = Readonly<Record<FateKind, number>>;
const HONEST: FateWeights = { kept: 300, refused: 2, unanswered: 2, torn: 1, lied: 0 };

/** After so many turns of the event loop, what has not happened never will. */
const PATIENCE_TURNS = 20_000;

export class World {
  readonly random: Random;
  readonly time = new SimulatedTime();
  readonly disk = new MemoryDisk();
  readonly oracle = new Oracle(this.disk);
  readonly #keys: KeyFolder = { current: null, next: null };
  readonly #engines: SimulatedEngines;
  readonly #snapshotEveryRecords: number;
  /** How many groups met each outcome. */
  readonly fates: Record<FateKind, number> = { kept: 0, refused: 0, unanswered: 0, torn: 0, lied: 0 };
  readonly #weights: FateWeights;
  /** The first violation; it may be noticed in the middle of the runtime's own work. */
  divergence: unknown = null;
  /** The identifier that was drawn last. */
  lastId = "";
  /** Requests so far; each has its number. */
  requests = 0;
  /** A checkpoint that somebody outside keeps. */
  heldNote: string | null = null;
  /** No fault is drawn while this is set. */
  isCalm = true;

  constructor(random: Random, engines: SimulatedEngines, weights: FateWeights = HONEST) {
    this.random = random;
    this.#engines = engines;
    this.#weights = weights;
    this.#snapshotEveryRecords = 10 + random.int(60);
  }

  boot(): Boot {
    const { random, disk, time } = this;
    const life = new Life();
    const clock = time.clock();
    const stores: SimulatedStore[] = [];
    const createStore = (): SimulatedStore => {
      const store = new SimulatedStore(disk, life, (records) => this.#fateOf(records));
      stores.push(store);
      return store;
    };
    const started = createRuntime({
      configuration: POLICIES.asking.configuration,
      capabilities: simulatedCapabilities({
        clock,
        onEffect: (tool, request) => this.watch(() => this.oracle.effect(tool, request)),
      }),
      permit: PERMIT,
      policyFiles: POLICIES.asking.policyFiles,
      snapshotEveryRecords: this.#snapshotEveryRecords,
      surroundings: {
        clock,
        process: { node: "v26", platform: "simulated", pid: 1, uid: 1_000 },
        newId: () => {
          this.lastId = random.uuid();
          return this.lastId;
        },
        randomBytes: (bytes) => random.bytes(bytes),
        openStorage: async () => ({
          createStore,
          keyring: new SimulatedKeyring(this.#keys, life, random),
          claim: null,
        }),
        lookUp: async () => [],
        openPolicyEngine: async () => this.#unsteady(),
      },
    });
    // Those who wait for it see the failure themselves; there may be none when the process is killed.
    started.catch(() => undefined);
    return { life, stores, started };
  }

  /** Power is cut. */
  async kill({ life, stores }: Boot): Promise<void> {
    life.end();
    this.time.forget();
    await stores.at(-1)?.kill(this.random.oneIn(2));
  }

  /** Runs the world until the promise settles; time passes when nothing else happens. */
  async until<T>(promise: Promise<T>): Promise<PromiseSettledResult<T>> {
    let result: PromiseSettledResult<T> | undefined;
    void Promise.allSettled([promise]).then(([settled]) => {
      result = settled;
    });
    for (let turn = 1; result === undefined; turn += 1) {
      await turns(1);
      if (turn % 8 === 0) this.time.advanceToNext();
      if (turn > PATIENCE_TURNS) throw new Divergence("something is waited for that never comes");
    }
    this.assertSound();
    return result;
  }

  /** Runs a check and keeps its failure, because the runtime contains exceptions of what it calls. */
  watch(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.divergence ??= error;
    }
  }

  assertSound(): void {
    if (this.divergence !== null) throw this.divergence;
  }

  #fateOf(records: number): Fate {
    const drawn = this.isCalm ? "kept" : this.random.weighted(this.#weights);
    // A group of one record cannot be torn.
    const kind = drawn === "torn" && records < 2 ? "kept" : drawn;
    this.fates[kind] += 1;
    return { kind, turns: this.random.int(6) };
  }

  /** The real engine of the activated policy, which breaks now and then. */
  #unsteady(): PolicyEngine {
    let active: PolicyEngine | null = null;
    const engine = (): PolicyEngine => {
      if (active === null) throw new Error("no policy was activated");
      return active;
    };
    // Compiling a policy is the most expensive part of a start, so it is done once for all boots.
    const load = ({ revision }: EnforceablePolicy): void => {
      const found = this.#engines.get(revision);
      if (found === undefined) throw new Error(`no engine was made for revision ${revision}`);
      active = found;
    };
    return {
      get revision() {
        return active?.revision ?? null;
      },
      get usable() {
        return engine().usable;
      },
      load,
      activate: load,
      project: () => engine().project(),
      decide: (request) => engine().decide(request),
      decideAll: (request) => {
        if (!this.isCalm && this.random.oneIn(200)) throw new Error("the engine was to break");
        return engine().decideAll(request);
      },
    };
  }
}
