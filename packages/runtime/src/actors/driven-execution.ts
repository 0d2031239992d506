/**
 * Drives an execution through the gate; the execution machine says which state follows. Usually this is done by a table
 * that is made from the machine, and tested to be equal to it, at a third of the cost of an XState actor. An actor does
 * it if somebody inspects, and for a call that has waited for operators.
 */
import type { ExecutionActor, ExecutionState } from "@femtoclaw/machines";
import type { ExecutionEventType, ExecutionPoint, ExecutionTable } from "../projection/execution-table.ts";

/** What the gate needs of a driver. An event that is not possible in the current state changes nothing. */
export interface DrivenExecution {
  getSnapshot(): {
    readonly status: ReturnType<ExecutionActor["getSnapshot"]>["status"];
    readonly value: ExecutionState;
  };
  send(event: { readonly type: ExecutionEventType }): void;
}

type Snapshot = ReturnType<DrivenExecution["getSnapshot"]>;

export class TableExecution implements DrivenExecution {
  readonly #table: ExecutionTable;
  readonly #isSystemActive: () => boolean;
  #at: ExecutionPoint;
  #snapshot: Snapshot;

  constructor(table: ExecutionTable, isSystemActive: () => boolean) {
    this.#table = table;
    this.#isSystemActive = isSystemActive;
    this.#at = table.initial;
    this.#snapshot = snapshotOf(this.#at);
  }

  /** INVARIANT: I3: once the root of all actors has ended, no execution goes on, whatever drives it. */
  getSnapshot(): Snapshot {
    if (this.#snapshot.status === "active" && !this.#isSystemActive()) {
      this.#snapshot = { ...this.#snapshot, status: "stopped" };
    }
    return this.#snapshot;
  }

  send({ type }: { readonly type: ExecutionEventType }): void {
    if (this.getSnapshot().status !== "active") return;
    const next = this.#table.next(this.#at, type);
    if (next === undefined) return;
    this.#at = next;
    this.#snapshot = snapshotOf(next);
  }
}

function snapshotOf({ state }: ExecutionPoint): Snapshot {
  return { status: state === "completed" || state === "error" ? "done" : "active", value: state };
}
