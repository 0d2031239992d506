/** Interrupted executions that wait for an operator to say what became of them. */
import { LIMITS, type TypedRecord } from "@femtoclaw/protocol";
import { corrupt } from "./execution-records.ts";

export interface UnresolvedExecution {
  /** The record that left the execution open. */
  readonly seq: number;
  readonly tool: string;
  readonly session: string | null;
}

export class Unresolved {
  /** The oldest comes first. */
  readonly #executions: Map<string, UnresolvedExecution>;

  constructor(executions: Iterable<readonly [string, UnresolvedExecution]> = []) {
    this.#executions = new Map(executions);
  }

  get all(): ReadonlyMap<string, UnresolvedExecution> {
    return this.#executions;
  }

  /** INVARIANT: I9: a host that crashes again and again makes neither this nor its snapshots grow without end. */
  add(id: string, execution: UnresolvedExecution): void {
    this.#executions.set(id, execution);
    const [oldest] = this.#executions.keys();
    if (this.#executions.size > LIMITS.unresolved && oldest !== undefined) this.#executions.delete(oldest);
  }

  /** INVARIANT: I2: an execution is resolved once, and only if it was interrupted. */
  resolve(record: TypedRecord & { readonly type: "execution.resolved" }): void {
    const { interrupted, tool } = record.body;
    const known = this.#executions.get(record.execution ?? "");
    if (record.execution === null || known === undefined)
      throw corrupt(record, "its execution waits for no resolution");
    if (known.seq !== interrupted || known.tool !== tool || known.session !== record.session) {
      throw corrupt(record, `its execution was left open by record ${known.seq} of tool ${known.tool}`);
    }
    this.#executions.delete(record.execution);
  }
}
