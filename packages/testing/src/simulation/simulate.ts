/** Plays many worlds and adds up what happened in them. Everything that happens follows from the seed. */
import { createHash } from "node:crypto";
import { Divergence } from "./oracle.ts";
import { playWorld, type Tally, type WorldOptions } from "./play-world.ts";
import { simulatedEngines } from "./policies.ts";

/** Rounds on one journal. Then a new world begins, so that the checks after each round stay cheap. */
const ROUNDS_IN_WORLD = 8;
/** One world in so many is played twice, and the roots of its logs are compared round by round. */
const PLAYED_TWICE = 4;

export interface SimulationOptions extends WorldOptions {
  /** Called with the number of finished rounds. */
  readonly onProgress?: (rounds: number) => void;
}

export interface SimulationReport extends Tally {
  readonly seed: number;
  readonly rounds: number;
  readonly worlds: number;
  /** Worlds that ended because a torn write was noticed. */
  readonly tornWorlds: number;
  /** Rounds that were played twice and led to the same root. */
  readonly rootsCompared: number;
  /** Digest over the roots of all logs; the same for the same seed and rounds everywhere. */
  readonly roots: string;
}

/** Throws a `Divergence` that names the seed and the command that plays it again. */
export async function simulate({ seed, rounds, weights, onProgress }: SimulationOptions): Promise<SimulationReport> {
  const engines = await simulatedEngines();
  const digest = createHash("sha256");
  const sum = {
    records: 0,
    requests: 0,
    acknowledged: 0,
    effects: 0,
    granted: 0,
    agreed: 0,
    interrupted: 0,
    crashes: 0,
    faults: 0,
  };
  let [done, worlds, tornWorlds, rootsCompared] = [0, 0, 0, 0];
  while (done < rounds) {
    const worldSeed = seed + worlds;
    const world = { seed: worldSeed, rounds: Math.min(ROUNDS_IN_WORLD, rounds - done), weights };
    const play = await playWorld(world, engines);
    if (worlds % PLAYED_TWICE === 0) {
      const again = await playWorld(world, engines);
      if (again.roots.join() !== play.roots.join()) throw new Divergence(`I6: seed ${worldSeed} gave two logs`);
      rootsCompared += play.roots.length;
    }
    for (const name of Object.keys(sum) as (keyof Tally)[]) sum[name] += play.tally[name];
    digest.update(play.roots.join("\n"));
    if (play.isTorn) tornWorlds += 1;
    worlds += 1;
    done += play.rounds;
    onProgress?.(done);
  }
  return { seed, rounds: done, worlds, ...sum, tornWorlds, rootsCompared, roots: digest.digest("hex") };
}
