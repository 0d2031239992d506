/**
 * Executions according to the records: those that are open, those that wait for operators or for a resolution, and how
 * many ended in which way.
 */
import { recordedEvents } from "@femtoclaw/machines";
import type { ActorSnapshot, ApprovalAuthority, TypedRecord } from "@femtoclaw/protocol";
import { corrupt, type ExecutionRecord, type OpenExecution, requireOwnIntent } from "./execution-records.ts";
import { type ExecutionEventType, type ExecutionPoint, ExecutionTable } from "./execution-table.ts";
import { executionsHolder, stateOf } from "./holders.ts";
import type { FoldingMachine } from "./machine-set.ts";
import { answeredBy, askedBy, type OpenQuestion, questionsUnder, requireOwnQuestion } from "./open-questions.ts";
import { requireRunning } from "./own-history.ts";
import { Unresolved, type UnresolvedExecution } from "./unresolved.ts";

/** How many executions ended in which way, over the whole log. */
export type Counters = Readonly<
  Record<"messages" | "completed" | "refused" | "failed" | "interrupted" | "overloaded", number>
>;

export const ZERO_COUNTERS: Counters = {
  messages: 0,
  completed: 0,
  refused: 0,
  failed: 0,
  interrupted: 0,
  overloaded: 0,
};

function counted(before: Counters, name: keyof Counters, count = 1): Counters {
  const counters: Record<keyof Counters, number> = { ...before };
  counters[name] += count;
  return counters;
}

interface ExecutionsState {
  readonly open: Readonly<Record<string, OpenExecution>>;
  readonly counters: Counters;
  readonly unresolved: Readonly<Record<string, UnresolvedExecution>>;
  /** Absent if there are none, as in states of versions that knew no questions. */
  readonly questions?: Readonly<Record<string, OpenQuestion>>;
}

export class Executions {
  #machine: FoldingMachine;
  #table: ExecutionTable;
  #open = new Map<string, OpenExecution>();
  #counters = ZERO_COUNTERS;
  #unresolved = new Unresolved();
  /** The oldest comes first. */
  #questions = new Map<string, OpenQuestion>();
  /**
   * Whose answers are valid in this boot. Undefined if its record was not folded here, because a snapshot covers it, or if
   * it is of a version that knew no operators.
   */
  #authority: ApprovalAuthority | undefined;

  constructor(machine: FoldingMachine) {
    this.#machine = machine;
    this.#table = ExecutionTable.of(machine.logic);
  }

  /** Continues from a snapshot. Throws FEMTO_JOURNAL_FORMAT if the snapshot's machine is not the given one. */
  static stored(actors: Readonly<Record<string, ActorSnapshot>>, machine: FoldingMachine): Executions {
    const hasQuestions = (actors["executions"]?.state as ExecutionsState | undefined)?.questions !== undefined;
    const state = structuredClone(
      stateOf(actors, "executions", executionsHolder(machine, hasQuestions)),
    ) as ExecutionsState;
    const executions = new Executions(machine);
    executions.#open = new Map(Object.entries(state.open));
    executions.#counters = state.counters;
    executions.#unresolved = new Unresolved(Object.entries(state.unresolved));
    executions.#questions = new Map(Object.entries(state.questions ?? {}));
    return executions;
  }

  get counters(): Counters {
    return this.#counters;
  }

  /** Permitted executions that have no outcome yet. */
  get open(): ReadonlyMap<string, OpenExecution> {
    return this.#open;
  }

  /** Interrupted executions for which no operator has said yet what became of them. */
  get unresolved(): ReadonlyMap<string, UnresolvedExecution> {
    return this.#unresolved.all;
  }

  /** Calls that wait for operators, or whose answer has not led to the next record yet. */
  get questions(): ReadonlyMap<string, OpenQuestion> {
    return this.#questions;
  }

  snapshot(): ActorSnapshot {
    const hasQuestions = this.#questions.size > 0;
    const state: ExecutionsState = {
      open: Object.fromEntries(this.#open),
      counters: this.#counters,
      unresolved: Object.fromEntries(this.#unresolved.all),
      ...(hasQuestions ? { questions: Object.fromEntries(this.#questions) } : {}),
    };
    return { ...executionsHolder(this.#machine, hasQuestions), state: { ...state } };
  }

  /** Continues with another version of the machine. Returns the reason if it cannot, or null. */
  goOnWith(machine: FoldingMachine): string | null {
    this.#machine = machine;
    this.#table = ExecutionTable.of(machine.logic);
    const stray = [...this.#open, ...this.#questions].find(([, { at }]) => !this.#table.has(at));
    return stray === undefined ? null : `it has no state ${stray[1].at.state}, in which execution ${stray[0]} is`;
  }

  /** Updates the questions for a boot with these operators. */
  boot(authority: ApprovalAuthority | undefined): void {
    this.#authority = authority;
    this.#questions = questionsUnder(authority, this.#questions);
  }

  count(name: keyof Counters, count?: number): void {
    this.#counters = counted(this.#counters, name, count);
  }

  /** Adds an execution that an older log left open. */
  inherit(record: TypedRecord & { type: "execution.inherited" }): void {
    const { execution, seq, session, body } = record;
    if (execution === null || this.#unresolved.all.has(execution)) throw corrupt(record, "it names no other execution");
    this.#unresolved.add(execution, { seq, tool: body.tool, session });
  }

  resolve(record: TypedRecord & { type: "execution.resolved" }): void {
    this.#unresolved.resolve(record);
  }

  hop(record: TypedRecord & { type: "execution.hop" }): void {
    requireRunning(record, this.#open.get(record.execution ?? ""));
  }

  /** Returns the change in the number of this boot's executions between intent and outcome. */
  apply(record: ExecutionRecord): -1 | 0 | 1 {
    const id = record.execution;
    if (id === null) throw corrupt(record, "it names no execution");
    const known = this.#open.get(id);
    const question = this.#questions.get(id);
    const ends = record.type === "execution.outcome" || record.type === "execution.interrupted";
    if (ends !== (known !== undefined)) {
      throw corrupt(record, known === undefined ? "it has no intent" : "its execution is already open");
    }
    if (ends && known !== undefined) requireOwnIntent(record, known);
    const from = known?.at ?? question?.at ?? this.#table.initial;
    const at = this.#walk(record, from, recordedEvents(record, from.state));
    switch (record.type) {
      case "message.recorded":
        this.count("messages");
        return 0;
      case "approval.asked":
        this.#questions.set(id, askedBy(record, at));
        return 0;
      case "approval.answered":
        if (question === undefined) throw corrupt(record, "its execution has no open question");
        this.#questions.set(id, answeredBy(record, question, at, this.#authority));
        return 0;
      case "execution.refused":
        requireOwnQuestion(record, question);
        this.#questions.delete(id);
        this.count("refused");
        return 0;
      case "execution.intent": {
        requireOwnQuestion(record, question);
        this.#questions.delete(id);
        const { seq: intent, session, boot } = record;
        this.#open.set(id, { intent, tool: record.body.tool, session, boot, at });
        return 1;
      }
      case "execution.outcome":
        this.#open.delete(id);
        this.count(at.state === "completed" ? "completed" : "failed");
        return -1;
      case "execution.interrupted":
        this.#open.delete(id);
        this.#unresolved.add(id, { seq: record.seq, tool: record.body.tool, session: record.session });
        this.count("interrupted");
        // It was permitted in a boot that is over.
        return 0;
      default:
        return record satisfies never;
    }
  }

  #walk(record: TypedRecord, from: ExecutionPoint, events: readonly ExecutionEventType[]): ExecutionPoint {
    let at = from;
    for (const type of events) {
      const next = this.#table.next(at, type);
      if (next === undefined) throw corrupt(record, `\`${type}\` is not possible in state ${at.state}`);
      at = next;
    }
    return at;
  }
}
