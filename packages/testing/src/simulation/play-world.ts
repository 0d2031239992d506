/** The rounds of one world: a runtime is used, misused and ends; then another starts, and everything is checked. */
import { errorText, FemtoError } from "@femtoclaw/protocol";
import type { Runtime } from "@femtoclaw/runtime";
import { checkRestart } from "./checks.ts";
import { Divergence } from "./oracle.ts";
import type { SimulatedEngines } from "./policies.ts";
import { Random } from "./random.ts";
import { turns } from "./simulated-time.ts";
import { Stage, type Switch } from "./stage.ts";
import { type Boot, type FateWeights, World } from "./world.ts";

export interface WorldOptions {
  readonly seed: number;
  readonly rounds: number;
  /** What happens to writes; by default, what honest disks do. */
  readonly weights?: FateWeights | undefined;
}

export interface Tally {
  readonly records: number;
  readonly requests: number;
  readonly acknowledged: number;
  readonly effects: number;
  /** Calls that operators approved. */
  readonly granted: number;
  /** Executions that two operators approved. */
  readonly agreed: number;
  readonly interrupted: number;
  readonly crashes: number;
  readonly faults: number;
}

export interface Play {
  readonly rounds: number;
  /** Root of the log after each round. */
  readonly roots: readonly string[];
  readonly tally: Tally;
  /** Whether the start or the verifier noticed a torn write, which ends the world. */
  readonly isTorn: boolean;
}

/** Throws a `Divergence` that names the command to reproduce it. */
export async function playWorld({ seed, rounds, weights }: WorldOptions, engines: SimulatedEngines): Promise<Play> {
  const player = new Player(new World(new Random(seed), engines, weights));
  for (let round = 1; round <= rounds && !player.isTorn; round += 1) {
    try {
      await player.round();
    } catch (cause) {
      const again = `npm run simulate -- --seed ${seed} --rounds ${round}`;
      throw new Divergence(`seed ${seed}, round ${round}: ${errorText(cause)}; once more: ${again}`, { cause });
    }
  }
  return player.play;
}

interface Running {
  readonly boot: Boot;
  readonly runtime: Runtime;
}

class Player {
  readonly #world: World;
  readonly #switch: Switch = { isOn: true };
  readonly #roots: string[] = [];
  #rounds = 0;
  #crashes = 0;
  #running: Running | null = null;
  isTorn = false;

  constructor(world: World) {
    this.#world = world;
  }

  get play(): Play {
    const { disk, requests, oracle, fates } = this.#world;
    const { acknowledged, effects, granted, agreed, interrupted } = oracle;
    const faults = fates.refused + fates.unanswered + fates.torn;
    const counts = { records: disk.records.length, requests, acknowledged, effects, granted, agreed, interrupted };
    return {
      rounds: this.#rounds,
      roots: this.#roots,
      tally: { ...counts, crashes: this.#crashes, faults },
      isTorn: this.isTorn,
    };
  }

  async round(): Promise<void> {
    this.#rounds += 1;
    // In the first round the world is new.
    this.#running ??= await this.#start();
    if (this.#running === null) return;
    await this.#live(this.#running.boot, this.#running.runtime);
    if (this.#world.random.oneIn(4)) await this.#disturbedStart();
    this.#running = await this.#start();
    const root = this.#running === null ? null : await checkRestart(this.#world, this.#running.runtime);
    if (root === null) this.isTorn = true;
    else this.#roots.push(root);
  }

  /** Uses the runtime and then stops or kills it. */
  async #live(boot: Boot, runtime: Runtime): Promise<void> {
    const { random } = this.#world;
    this.#world.isCalm = false;
    const stage = new Stage(this.#world, boot, runtime, this.#switch);
    await stage.play(3 + random.int(40));
    if (random.oneIn(2)) return await this.#crash(boot);
    const closing = runtime.close({ drainMs: random.int(400) });
    if (random.oneIn(3)) {
      await turns(random.int(60));
      return await this.#crash(boot);
    }
    await stage.settle();
    await this.#world.until(closing);
  }

  /** A start that is killed on the way, or meets a fault and may fail, or succeeds and is killed afterwards. */
  async #disturbedStart(): Promise<void> {
    this.#world.isCalm = false;
    const boot = this.#world.boot();
    if (this.#world.random.oneIn(2)) await turns(this.#world.random.int(80));
    else if ((await this.#started(boot)) === null) return;
    await this.#crash(boot);
  }

  /** Starts while nothing goes wrong. */
  async #start(): Promise<Running | null> {
    this.#world.isCalm = true;
    const boot = this.#world.boot();
    const runtime = await this.#started(boot);
    return runtime === null ? null : { boot, runtime };
  }

  /** Null if the start failed rightly: a fault was drawn, or a torn write was noticed. */
  async #started(boot: Boot): Promise<Runtime | null> {
    const { fates } = this.#world;
    const before = fates.refused + fates.unanswered + fates.torn;
    const started = await this.#world.until(boot.started);
    if (started.status === "fulfilled") {
      this.#expectSwitch(started.value);
      return started.value;
    }
    const { reason } = started;
    this.isTorn = reason instanceof FemtoError && reason.code === "FEMTO_JOURNAL_CORRUPT" && fates.torn > 0;
    if (!this.isTorn && fates.refused + fates.unanswered + fates.torn === before) {
      throw new Divergence(`a start without a fault failed: ${errorText(reason)}`, { cause: reason });
    }
    await this.#world.kill(boot);
    return null;
  }

  /** A switch that an operator was told about lasts; one that was in flight may have been made or not. */
  #expectSwitch(runtime: Runtime): void {
    const found = runtime.capabilities().find(({ name }) => name === "switched")?.enabled ?? null;
    const { isOn } = this.#switch;
    if (isOn !== null && found !== isOn) throw new Divergence(`an operator's switch was lost: ${isOn} became ${found}`);
    this.#switch.isOn = found;
  }

  async #crash(boot: Boot): Promise<void> {
    this.#crashes += 1;
    await this.#world.kill(boot);
  }
}
