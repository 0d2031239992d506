/**
 * Searches everything that can happen in a scenario: each state once, each step out of it, and a crash
 * in it. States that agree in all that the next steps depend on are one.
 */
import type { Base } from "./base.ts";
import { Invariants, Violation } from "./invariants.ts";
import { type Action, type Scenario, Trial } from "./trial.ts";

export interface Explored {
  readonly scenario: string;
  readonly states: number;
  readonly steps: number;
  /** Ways from the beginning to an end, counted and not walked one by one. */
  readonly interleavings: bigint;
  /** Different disks that a crash left, each recovered by a real start. */
  readonly recoveries: number;
}

interface State {
  readonly path: readonly Action[];
  readonly actions: readonly Action[];
  readonly next: string[];
}

/** Throws a `Violation` whose message is the way to it. */
export async function explore(base: Base, scenario: Scenario): Promise<Explored> {
  const invariants = new Invariants(base);
  const states = new Map<string, State>();
  const reach = async (path: readonly Action[]): Promise<string> => {
    const trial = await walk(base, scenario, invariants, path);
    const name = trial.state;
    if (states.has(name)) return name;
    const actions = trial.actions();
    if (actions.length === 0 && !scenario.calls.every((_, number) => trial.isThrough(number))) {
      throw violation(path, "a call is never answered");
    }
    states.set(name, { path, actions, next: [] });
    return name;
  };
  const first = await reach([]);
  // A map goes on to what is added while it is walked.
  for (const { path, actions, next } of states.values()) {
    for (const action of actions) next.push(await reach([...path, action]));
  }
  const all = [...states.values()];
  return {
    scenario: scenario.name,
    states: all.length,
    steps: all.reduce((sum, { next }) => sum + next.length, 0),
    interleavings: countWays(states, first),
    recoveries: invariants.recoveries,
  };
}

async function walk(base: Base, scenario: Scenario, invariants: Invariants, path: readonly Action[]): Promise<Trial> {
  const trial = await Trial.open(base, scenario);
  const violations: Violation[] = [];
  invariants.watch(trial, violations);
  try {
    for (const action of path) await trial.take(action);
    const [found] = violations;
    if (found !== undefined) throw found;
    await invariants.check(trial, scenario);
  } catch (error) {
    throw violation(path, error instanceof Error ? error.message : String(error));
  }
  return trial;
}

function violation(path: readonly Action[], what: string): Violation {
  return new Violation(`${what}, after: ${path.join("; ")}`);
}

/** Each step leads on, so there are no circles, and the ways out of a state are those of its successors together. */
function countWays(states: ReadonlyMap<string, State>, from: string, known = new Map<string, bigint>()): bigint {
  const counted = known.get(from);
  if (counted !== undefined) return counted;
  const next = states.get(from)?.next ?? [];
  const ways = next.length === 0 ? 1n : next.reduce((sum, state) => sum + countWays(states, state, known), 0n);
  known.set(from, ways);
  return ways;
}
