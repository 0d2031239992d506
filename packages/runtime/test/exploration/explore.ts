/**
 * Searches everything that can happen in a scenario: each state once, each step out of it, and a crash
 * in it. States that agree in all that the next steps depend on are one. A trial that came to a new state goes on from
 * there with the first step; each other step begins with a trial of its own.
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

/** Throws a `Violation` whose message is the way to it. */
export async function explore(base: Base, scenario: Scenario): Promise<Explored> {
  const invariants = new Invariants(base);
  /** The states that follow on each one. */
  const states = new Map<string, string[]>();
  /** Trials in states that nobody went on from yet. */
  const fresh: { readonly walk: Walk; readonly next: string[] }[] = [];
  const reached = (walk: Walk): string => {
    const name = walk.trial.state;
    if (states.has(name)) return name;
    if (walk.trial.actions().length === 0 && !scenario.calls.every((_, number) => walk.trial.isThrough(number))) {
      throw violation(walk.path, "a call is never answered");
    }
    const next: string[] = [];
    states.set(name, next);
    fresh.push({ walk, next });
    return name;
  };
  const begin = async (): Promise<Walk> => await Walk.begin(base, scenario, invariants);
  const first = reached(await (await begin()).along([]));
  for (let state = fresh.shift(); state !== undefined; state = fresh.shift()) {
    const { walk, next } = state;
    const path = [...walk.path];
    for (const [number, action] of walk.trial.actions().entries()) {
      const onward = number === 0 ? walk : await begin();
      next.push(reached(await onward.along(number === 0 ? [action] : [...path, action])));
    }
  }
  const all = [...states.values()];
  return {
    scenario: scenario.name,
    states: all.length,
    steps: all.reduce((sum, next) => sum + next.length, 0),
    interleavings: countWays(states, first),
    recoveries: invariants.recoveries,
  };
}

/** A trial, and what was done in it so far. */
class Walk {
  readonly trial: Trial;
  readonly path: Action[] = [];
  readonly #scenario: Scenario;
  readonly #invariants: Invariants;
  readonly #violations: Violation[] = [];

  private constructor(trial: Trial, scenario: Scenario, invariants: Invariants) {
    this.trial = trial;
    this.#scenario = scenario;
    this.#invariants = invariants;
    invariants.watch(trial, this.#violations);
  }

  static async begin(base: Base, scenario: Scenario, invariants: Invariants): Promise<Walk> {
    return new Walk(await Trial.open(base, scenario), scenario, invariants);
  }

  /** Looks at what holds once all of it is done; at what happens on the way, as it happens. */
  async along(actions: readonly Action[]): Promise<this> {
    this.path.push(...actions);
    try {
      for (const action of actions) await this.trial.take(action);
      const [found] = this.#violations;
      if (found !== undefined) throw found;
      await this.#invariants.check(this.trial, this.#scenario);
    } catch (error) {
      throw violation(this.path, error instanceof Error ? error.message : String(error));
    }
    return this;
  }
}

function violation(path: readonly Action[], what: string): Violation {
  return new Violation(`${what}, after: ${path.join("; ")}`);
}

/** Each step leads on, so there are no circles, and the ways out of a state are those of its successors together. */
function countWays(
  states: ReadonlyMap<string, readonly string[]>,
  from: string,
  known = new Map<string, bigint>(),
): bigint {
  const counted = known.get(from);
  if (counted !== undefined) return counted;
  const next = states.get(from) ?? [];
  const ways = next.length === 0 ? 1n : next.reduce((sum, state) => sum + countWays(states, state, known), 0n);
  known.set(from, ways);
  return ways;
}
