/** The calls in the gate, and those on their way into it. A call that waits for operators is in neither place. */
import type { ExecutionId, SessionId } from "@femtoclaw/protocol";
import type { Execution } from "./execution.ts";

/** A call that has an identifier, and is no execution yet. */
export interface Underway {
  readonly session: SessionId;
  /** It was cancelled meanwhile, and is stopped as soon as it is an execution. */
  cancelled: boolean;
}

export class PresentCalls {
  readonly #running = new Map<ExecutionId, Execution>();
  readonly #entering = new Map<ExecutionId, Underway>();
  /** Calls whose question is settled, until they are back in the gate. */
  readonly #reviving = new Map<ExecutionId, Underway>();
  #onIdle: (() => void) | null = null;

  /** Number of calls that a stop of the gate waits for. Those that come from their proposers may still be refused. */
  get count(): number {
    return this.#running.size + this.#reviving.size;
  }

  get running(): Iterable<Execution> {
    return this.#running.values();
  }

  runningOf(session: SessionId): Execution[] {
    return [...this.#running.values()].filter((execution) => execution.session === session);
  }

  execution(id: ExecutionId): Execution | undefined {
    return this.#running.get(id);
  }

  underway(id: ExecutionId): Underway | undefined {
    return this.#entering.get(id) ?? this.#reviving.get(id);
  }

  /** Notes a call that comes from its proposer. */
  enter(id: ExecutionId, underway: Underway): void {
    this.#entering.set(id, underway);
  }

  /** Notes a call that comes back from its operators. */
  revive(id: ExecutionId, underway: Underway): void {
    this.#reviving.set(id, underway);
  }

  run(execution: Execution): void {
    this.#running.set(execution.id, execution);
    this.#entering.delete(execution.id);
    this.#reviving.delete(execution.id);
  }

  leave(id: ExecutionId): void {
    this.#running.delete(id);
    this.#entering.delete(id);
    this.#reviving.delete(id);
    if (this.count === 0) this.#onIdle?.();
  }

  /** Resolves when the count is 0. Only the newest caller is told. */
  async idle(): Promise<void> {
    if (this.count === 0) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
  }
}
