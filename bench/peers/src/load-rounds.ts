/** Executions of one small effect by more and more callers, by one system after the other, round by round. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Effort, scaled } from "../../src/effort.ts";
import { measureYardstick, type Yardstick } from "../../src/yardstick.ts";
import type { LoadRound } from "./figures.ts";
import { SystemProcess } from "./system-process.ts";
import type { SystemName } from "./systems.ts";
import type { Trials } from "./trials.ts";

const CALLERS = [1, 10, 100, 1_000] as const;
const LOAD_MS = 2_000;
const WARM_UP_MS = 1_500;
const WARM_UP_CALLERS = 100;

export interface LoadRun {
  /** One for each round. */
  readonly yardsticks: readonly Yardstick[];
  readonly rounds: readonly LoadRound[];
}

/** Interleaved, with every second round in reverse, so that a disturbance of the machine hits every system. */
export async function measureLoads(trials: Trials, directory: string, effort: Effort): Promise<LoadRun> {
  const yardsticks: Yardstick[] = [];
  const rounds: LoadRound[] = [];
  for (let round = 1; round <= effort.rounds; round += 1) {
    const own = join(directory, String(round));
    mkdirSync(own, { mode: 0o711 });
    yardsticks.push(await measureYardstick(own));
    await trials.each(round % 2 === 1, `round ${round} of ${effort.rounds}`, async (name) => {
      rounds.push(...(await loadsOf(name, join(own, name), effort)));
    });
  }
  return { yardsticks, rounds };
}

async function loadsOf(system: SystemName, directory: string, effort: Effort): Promise<LoadRound[]> {
  mkdirSync(directory, { mode: 0o711 });
  await using life = await SystemProcess.start(system, { directory, purpose: "load" });
  await life.load(WARM_UP_CALLERS, scaled(WARM_UP_MS, effort));
  const rounds: LoadRound[] = [];
  for (const callers of CALLERS) {
    const before = life.cpuUs;
    const { executions, ...figures } = await life.load(callers, scaled(LOAD_MS, effort));
    rounds.push({ system, callers, ...figures, cpuUs: (life.cpuUs - before) / executions });
  }
  return rounds;
}
