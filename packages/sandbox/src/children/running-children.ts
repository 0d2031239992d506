/** Counts the running children of one sandbox, and keeps the plan that the newest of them was started by. */
export class RunningChildren<Plan> {
  #running = 0;
  #plan: Plan | null = null;

  /** The plan for one more child. `renew` gets the newest plan, and whether children run under it or an older one. */
  begin(first: Plan, renew: (plan: Plan, othersRun: boolean) => Plan): Plan {
    this.#plan = renew(this.#plan ?? first, this.#running > 0);
    this.#running += 1;
    return this.#plan;
  }

  end(): void {
    this.#running -= 1;
  }
}
