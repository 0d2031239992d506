/** The executions among the frames: each is an actor that appears, takes the events of its records, and ends. */
import { recordedEvents } from "@femtoclaw/machines/recorded-events";
import type { TypedRecord } from "@femtoclaw/protocol";
import type { ErrorType } from "@femtoclaw/protocol/types";
import { type Chart, transitionOf } from "./chart.ts";
import type { FrameBatch, FrameSnapshot, OpenActor, Summary, Transition } from "./frames.ts";
import { InspectionFault, impossible } from "./inspection-fault.ts";
import type { ExecutionRecord } from "./record-events.ts";

interface OpenExecution extends Omit<OpenActor, "state" | "category" | "interrupted" | "execution"> {
  value: string;
  category: ErrorType | null;
}

export class ExecutionActors {
  /** The version of the machine that the newest record of an execution names. */
  chart: Chart;
  readonly #open = new Map<string, OpenExecution>();
  readonly #unresolved = new Map<string, OpenActor>();
  readonly #counters: Record<Counter, number>;

  constructor(chart: Chart, summary: Pick<Summary, "actors" | "counters"> | null) {
    this.chart = chart;
    this.#counters = { ...NO_COUNTS, ...summary?.counters };
    for (const actor of summary?.actors ?? []) {
      const { execution, tool, session, seq, state: value, category } = actor;
      if (actor.interrupted) this.#unresolved.set(execution, actor);
      else this.#open.set(execution, { tool, session, seq, value, category });
    }
  }

  /** Interrupted executions first, then those that run or wait. */
  get actors(): OpenActor[] {
    const opened = [...this.#open].map(([execution, { value, ...open }]): OpenActor => {
      return { execution, ...open, state: value, interrupted: false };
    });
    return [...this.#unresolved.values(), ...opened];
  }

  get counters(): Record<string, number> {
    return { ...this.#counters };
  }

  /** Throws InspectionFault for a record that the execution's machine cannot follow. */
  apply(record: ExecutionRecord, batch: FrameBatch): void {
    const id = record.execution;
    if (id === null) throw new InspectionFault(`record ${record.seq} names no execution`);
    const known = this.#open.get(id);
    const ends = record.type === "execution.outcome" || record.type === "execution.interrupted";
    if (ends && known === undefined) throw new InspectionFault(`record ${record.seq} ends what has not begun`);
    const point = known ?? this.#begin(record, id, batch);
    const { via, last } = this.#send(record, id, point, batch);
    const snapshot = snapshotOf(point);
    batch.add(id, { type: "@xstate.snapshot", event: { type: last }, snapshot, via });
    const standing = record.type === "approval.answered" ? point.seq : record.seq;
    if (snapshot.status === "active") this.#open.set(id, { ...point, seq: standing });
    else this.#end(record, id, point);
  }

  /** Takes over an execution that the log before this one left open. */
  inherit(record: TypedRecord & { type: "execution.inherited" }, batch: FrameBatch): void {
    const { seq, session, boot } = record;
    const { tool } = record.body;
    const execution = record.execution ?? "";
    const open: OpenExecution = { tool, session, seq, value: "error", category: "RuntimeError" };
    this.#unresolved.set(execution, interrupted(execution, open));
    const snapshot = this.#appear(execution, boot, open, batch);
    batch.add(execution, { type: "@xstate.snapshot", event: { type: "recovered" }, snapshot, via: [] });
  }

  /** An operator has said what became of an interrupted execution. */
  resolve(execution: string): void {
    this.#unresolved.delete(execution);
  }

  count(counter: Counter, more: number): void {
    this.#counters[counter] += more;
  }

  #begin(record: ExecutionRecord, id: string, batch: FrameBatch): OpenExecution {
    const { session, seq, boot } = record;
    const tool = toolOf(record);
    const point: OpenExecution = { tool, session, seq, value: this.chart.initial, category: null };
    this.#appear(id, boot, point, batch);
    return point;
  }

  #appear(id: string, boot: string, open: OpenExecution, batch: FrameBatch): FrameSnapshot {
    const snapshot = snapshotOf(open);
    const actor = { name: open.tool, parentId: `${boot}/executions`, definitionRef: this.chart.sha256, snapshot };
    batch.add(id, { type: "@xstate.actor", ...actor });
    return snapshot;
  }

  #send(
    record: ExecutionRecord,
    id: string,
    point: OpenExecution,
    batch: FrameBatch,
  ): { readonly via: readonly Transition[]; readonly last: string } {
    const via: Transition[] = [];
    const events = recordedEvents(record, point.value);
    const category = categoryOf(record);
    for (const event of events) {
      const taken = transitionOf(this.chart, point.value, event, () => point.category !== null);
      if (taken === undefined) throw impossible(record, id, event, point.value);
      const [from, , to] = taken;
      point.value = to;
      if (to === "memoryCommitting" || to === "error") point.category ??= category;
      const step = { from, event, to };
      via.push(step);
      batch.add(id, { type: "@xstate.event", event: { type: event }, sourceId: record.session, via: step });
    }
    return { via, last: events.at(-1) ?? "" };
  }

  #end({ type, seq }: ExecutionRecord, execution: string, ended: OpenExecution): void {
    this.#open.delete(execution);
    this.count(COUNTERS[type] ?? (ended.value === "completed" ? "completed" : "failed"), 1);
    if (type === "execution.interrupted") this.#unresolved.set(execution, interrupted(execution, { ...ended, seq }));
  }
}

function interrupted(execution: string, { value: state, ...open }: OpenExecution): OpenActor {
  return { execution, ...open, state, interrupted: true };
}

type Counter = keyof typeof NO_COUNTS;

const NO_COUNTS = { messages: 0, completed: 0, refused: 0, failed: 0, interrupted: 0, overloaded: 0 };

/** What the end of an execution counts as, if the type of the record decides that. */
const COUNTERS: Readonly<Partial<Record<TypedRecord["type"], Counter>>> = {
  "message.recorded": "messages",
  "execution.refused": "refused",
  "execution.interrupted": "interrupted",
};

function toolOf({ type, body }: ExecutionRecord): string {
  if (type === "message.recorded") return "message";
  return ("tool" in body ? body.tool : null) ?? "no call";
}

function snapshotOf({ value, category }: OpenExecution): FrameSnapshot {
  return { status: STATUSES[value] ?? "active", value, context: { category } };
}

/** The final states; an execution in any other state is active. */
const STATUSES: Readonly<Record<string, FrameSnapshot["status"]>> = { completed: "done", error: "error" };

/** Why the execution of a record fails; null if it does not. */
function categoryOf(record: ExecutionRecord): ErrorType | null {
  if (record.type === "execution.interrupted") return "RuntimeError";
  if (record.type === "approval.answered") return record.body.answer === "refused" ? "AuthorizationError" : null;
  if (record.type !== "execution.refused" && record.type !== "execution.outcome") return null;
  return record.body.error?.error_type ?? null;
}
