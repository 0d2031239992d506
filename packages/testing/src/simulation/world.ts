/** A machine that a runtime lives on, boot after boot: its disk, its keys, its time, its chance. */
import { MemoryDisk } from "@femtoclaw/journal";
import type { PolicyEngine } from "@femtoclaw/policy";
import { createRuntime, type ResolvedConfiguration, type Runtime, resolveConfiguration } from "@femtoclaw/runtime";
import { CAPABILITY_SETTINGS, PERMIT, simulatedCapabilities } from "./capabilities.ts";
import { Life } from "./life.ts";
import { Divergence, Oracle } from "./oracle.ts";
import type { Random } from "./random.ts";
import { type KeyFolder, SimulatedKeyring } from "./simulated-keyring.ts";
import { type Fate, type FateKind, SimulatedStore } from "./simulated-store.ts";
import { SimulatedTime, turns } from "./simulated-time.ts";

/** A process that is starting or runs. */
export interface Boot {
  readonly life: Life;
  /** Every store of this life; after a failed write another one takes the place of the last. */
  readonly stores: readonly SimulatedStore[];
  /** Rejects when the start fails. */
  readonly started: Promise<Runtime>;
}

/** How often what becomes of a group. */
export type FateWeights = Readonly<Record<FateKind, number>>;
const HONEST: FateWeights = { kept: 300, refused: 2, unanswered: 2, torn: 1, lied: 0 };

/** Turns after which what has not come never will. */
const PATIENCE_TURNS = 20_000;

/** The same on every machine, since paths enter the digests of configuration and policy. */
const CONFIGURATION: ResolvedConfiguration = resolveConfiguration({
  configuration: {
    workspace: "/tmp",
    search_path: ["/"],
    memory: { path: "/femtoclaw-simulation/state" },
    host: { runtime_dir: "/femtoclaw-simulation/run" },
    limits: { concurrency: 4, queue: 8 },
    capabilities: CAPABILITY_SETTINGS,
  },
  baseDirectory: "/tmp",
  environment: { HOME: "/femtoclaw-simulation", XDG_RUNTIME_DIR: "/femtoclaw-simulation" },
});

export class World {
  readonly random: Random;
  readonly time = new SimulatedTime();
  readonly disk = new MemoryDisk();
  readonly oracle = new Oracle(this.disk);
  readonly #keys: KeyFolder = { current: null, next: null };
  readonly #engine: PolicyEngine;
  readonly #snapshotEveryRecords: number;
  /** What was done to groups, by kind. */
  readonly fates: Record<FateKind, number> = { kept: 0, refused: 0, unanswered: 0, torn: 0, lied: 0 };
  readonly #weights: FateWeights;
  /** The first thing that was not as it must be; it may be found in the midst of the runtime's own work. */
  divergence: unknown = null;
  /** The identifier that was drawn last. */
  lastId = "";
  /** Requests so far; each has its number. */
  requests = 0;
  /** A checkpoint that somebody outside keeps. */
  heldNote: string | null = null;
  /** No fault is drawn while this is set. */
  isCalm = true;

  constructor(random: Random, engine: PolicyEngine, weights: FateWeights = HONEST) {
    this.random = random;
    this.#engine = engine;
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
      configuration: CONFIGURATION,
      capabilities: simulatedCapabilities({
        clock,
        onEffect: (tool, request) => this.watch(() => this.oracle.effect(tool, request)),
      }),
      permit: PERMIT,
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
        openPolicyEngine: async () => this.#unsteady(),
      },
    });
    // Whoever waits for it hears of its failure; nobody may be waiting when the process is killed.
    started.catch(() => undefined);
    return { life, stores, started };
  }

  /** Power is cut. */
  async kill({ life, stores }: Boot): Promise<void> {
    life.end();
    this.time.forget();
    await stores.at(-1)?.kill(this.random.oneIn(2));
  }

  /** Lets the world go on until the promise settles; time passes when nothing else happens. */
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

  /** Runs a check whose failure must not get lost in the runtime, which contains what it calls. */
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
    // Of one record nothing can be torn.
    const kind = drawn === "torn" && records < 2 ? "kept" : drawn;
    this.fates[kind] += 1;
    return { kind, turns: this.random.int(6) };
  }

  /** The real engine, one for all boots because it can never be freed, that sometimes breaks. */
  #unsteady(): PolicyEngine {
    const engine = this.#engine;
    return {
      get revision() {
        return engine.revision;
      },
      get usable() {
        return engine.usable;
      },
      // Every boot activates the same revision, and compiling it is the dearest part of a start.
      activate: (policy) => {
        if (engine.revision !== policy.revision) engine.activate(policy);
      },
      project: () => engine.project(),
      decide: (request) => engine.decide(request),
      decideAll: (request) => {
        if (!this.isCalm && this.random.oneIn(200)) throw new Error("the engine was to break");
        return engine.decideAll(request);
      },
    };
  }
}
