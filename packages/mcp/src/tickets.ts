/** The executions that a client was told to wait for. */

/** LIMIT: remembered executions; the oldest is forgotten first. */
const TICKETS_MAX = 1_024;

export class Tickets {
  readonly #executions = new Set<string>();

  has(execution: string): boolean {
    return this.#executions.has(execution);
  }

  keep(execution: string): void {
    this.#executions.add(execution);
    const [oldest] = this.#executions;
    if (this.#executions.size > TICKETS_MAX && oldest !== undefined) this.#executions.delete(oldest);
  }
}
