/**
 * Frames, arranged so that the state at any record is found at once: each actor keeps its steps in order, and a moment
 * is found by binary search. Nothing is folded again when somebody moves through time.
 */
import type { TypedRecord } from "@femtoclaw/protocol";
import { subjectOf } from "@femtoclaw/protocol/execution-subject";
import type { Chart } from "./chart.ts";
import { FrameProjection } from "./frame-projection.ts";
import type { Frame, MachineName, Region, SubsystemName, Summary, Transition } from "./frames.ts";
import { MACHINE_NAMES } from "./frames.ts";

/** What became of an execution, in the words and colours of the page. */
export const KINDS = ["waiting", "running", "failed", "denied", "interrupted", "done", "message"] as const;
export type Kind = (typeof KINDS)[number];

export interface Step {
  readonly seq: number;
  readonly value: string;
  readonly via: readonly Transition[];
  readonly event: string;
}

export interface ExecutionStep extends Step {
  readonly kind: Kind;
  /** An operator has said what became of an interrupted execution. */
  readonly isResolved?: true;
}

/** Whether a person has to say something: an answer, or what became of an interrupted execution. */
export function needsPerson({ kind, isResolved }: ExecutionStep): boolean {
  return kind === "waiting" || (kind === "interrupted" && isResolved !== true);
}

export interface Execution {
  readonly id: string;
  readonly tool: string;
  readonly session: string | null;
  readonly agent: string | null;
  readonly at: string;
  /** Digest of the chart with which it is drawn. */
  readonly chart: string;
  /** Its records, without those before the frames begin. */
  readonly records: number[];
  readonly steps: ExecutionStep[];
  /** The request in one line. */
  subject: string;
}

interface Track {
  readonly name: MachineName;
  readonly steps: (Step & { readonly sha256: string; readonly boot: string | null })[];
}

export class History {
  readonly #projection: FrameProjection;
  readonly #tracks: ReadonlyMap<MachineName, Track>;
  readonly #regions: { readonly seq: number; readonly regions: Readonly<Record<SubsystemName, Region>> }[] = [];
  readonly #byId = new Map<string, Execution>();
  /** In the order in which they began. */
  readonly executions: Execution[] = [];
  readonly records: TypedRecord[] = [];
  /** Number of the first record held here. */
  readonly start: number;
  /** Counts of what happened before it. */
  readonly before: Readonly<Record<string, number>>;

  constructor(charts: readonly Chart[], summary: Summary | null) {
    this.#projection = new FrameProjection(charts, summary);
    this.start = this.#projection.size;
    this.before = summary?.counters ?? {};
    const seq = this.start - 1;
    this.#tracks = new Map(
      MACHINE_NAMES.map((name) => {
        const { value, sha256 } = this.#projection.machine(name);
        const { boot } = this.#projection;
        return [name, { name, steps: [{ seq, value, via: [], event: "", sha256, boot }] }];
      }),
    );
    this.#regions.push({ seq, regions: this.#projection.regions });
    const chart = charts.findLast(({ machine }) => machine === "execution")?.sha256 ?? "";
    for (const { execution, tool, session, seq: at, state, interrupted } of summary?.actors ?? []) {
      const open: Kind = state === "awaitingApproval" ? "waiting" : "running";
      const kind: Kind = interrupted ? "interrupted" : open;
      const step: ExecutionStep = { seq: at, value: state, via: [], event: "", kind };
      this.#open({
        id: execution,
        tool,
        session,
        agent: null,
        at: "",
        chart,
        records: [at],
        steps: [step],
        subject: "",
      });
    }
  }

  /** The number of the next record. */
  get size(): number {
    return this.#projection.size;
  }

  get boots(): number {
    return this.#projection.boots;
  }

  /** Throws InspectionFault for a record that cannot follow the others. */
  apply(record: TypedRecord): readonly Frame[] {
    const { regions } = this.#projection;
    const frames = this.#projection.apply(record);
    this.records.push(record);
    if (this.#projection.regions !== regions) {
      this.#regions.push({ seq: record.seq, regions: this.#projection.regions });
    }
    const boot = this.#projection.boot;
    for (const frame of frames) {
      const actor = frame.sessionId.slice(frame.rootId.length + 1);
      const track = this.#tracks.get(actor as MachineName);
      if (frame.type === "@xstate.event") continue;
      if (track === undefined) {
        if (frame.type === "@xstate.actor") this.#begin(record, actor, frame);
        else this.#byId.get(actor)?.steps.push({ ...stepOf(frame), kind: kindOf(record, frame.snapshot.value) });
        continue;
      }
      const sha256 = this.#projection.machine(track.name).sha256;
      track.steps.push({ ...stepOf(frame), sha256, boot });
    }
    if (record.execution !== null) this.#note(record, record.execution);
    return frames;
  }

  record(seq: number): TypedRecord | undefined {
    return this.records[seq - this.start];
  }

  execution(id: string): Execution | undefined {
    return this.#byId.get(id);
  }

  /** The state of a machine after the record; for earlier records, its first known state. */
  machineAt(name: MachineName, seq: number): Track["steps"][number] {
    const track = this.#tracks.get(name);
    const steps = track?.steps ?? [];
    const step = steps[lastUpTo(steps, seq)] ?? steps[0];
    if (step === undefined) throw new Error(`there is no machine ${name}`);
    return step;
  }

  regionsAt(seq: number): Readonly<Record<SubsystemName, Region>> {
    const found = this.#regions[lastUpTo(this.#regions, seq)] ?? this.#regions[0];
    if (found === undefined) throw new Error("there are no regions");
    return found.regions;
  }

  /** How many executions had begun by the record; these come first in `executions`. */
  begunBy(seq: number): number {
    let low = 0;
    for (let high = this.executions.length; low < high; ) {
      const middle = (low + high) >> 1;
      if ((this.executions[middle]?.records[0] ?? 0) <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  countsAt(seq: number): Record<Kind, number> {
    const counts = Object.fromEntries(KINDS.map((kind) => [kind, 0])) as Record<Kind, number>;
    const begun = this.begunBy(seq);
    for (let index = 0; index < begun; index += 1) {
      const step = stepAt(this.executions[index], seq);
      if (step !== undefined) counts[step.kind] += 1;
    }
    return counts;
  }

  #begin(record: TypedRecord, id: string, frame: Frame & { type: "@xstate.actor" }): void {
    const { seq, session, actor, at } = record;
    this.#open({
      id,
      tool: frame.name,
      session,
      agent: actor?.agent ?? actor?.channel ?? null,
      at,
      chart: frame.definitionRef,
      records: [seq],
      steps: [],
      subject: "",
    });
  }

  #open(execution: Execution): void {
    this.#byId.set(execution.id, execution);
    this.executions.push(execution);
  }

  #note(record: TypedRecord, id: string): void {
    const execution = this.#byId.get(id);
    if (execution === undefined) return;
    if (execution.records.at(-1) !== record.seq) execution.records.push(record.seq);
    const last = execution.steps.at(-1);
    if (record.type === "execution.resolved" && last !== undefined) {
      execution.steps.push({ ...last, seq: record.seq, isResolved: true });
    }
    if (execution.subject === "") execution.subject = subjectOf(record, parsed);
  }
}

/** The last step up to the record; undefined if the execution had not begun. */
export function stepAt(execution: Execution | undefined, seq: number): ExecutionStep | undefined {
  const steps = execution?.steps ?? [];
  return steps[lastUpTo(steps, seq)];
}

function lastUpTo(steps: readonly { readonly seq: number }[], seq: number): number {
  let low = 0;
  for (let high = steps.length; low < high; ) {
    const middle = (low + high) >> 1;
    if ((steps[middle]?.seq ?? 0) <= seq) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function stepOf(frame: Exclude<Frame, { type: "@xstate.event" }>): Step {
  const { seq, snapshot } = frame;
  if (frame.type === "@xstate.actor") return { seq, value: snapshot.value, via: [], event: "" };
  return { seq, value: snapshot.value, via: frame.via, event: frame.event.type };
}

function kindOf(record: TypedRecord, value: string): Kind {
  if (record.type === "message.recorded") return "message";
  if (record.type === "execution.interrupted" || record.type === "execution.inherited") return "interrupted";
  if (value === "completed") return "done";
  if (value === "awaitingApproval") return "waiting";
  if (value !== "error") return "running";
  const isRefusal = record.type === "execution.refused" && record.body.error.error_type === "AuthorizationError";
  return isRefusal ? "denied" : "failed";
}

// biome-ignore lint/plugin: browsers read it, and Chromium 156 has a V8 without that fault.
const parsed = (text: string): unknown => JSON.parse(text);
