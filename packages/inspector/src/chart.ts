/**
 * A state machine as data: where each state and arrow is drawn, and which event leads where. `npm run generate` makes
 * it from the machines, so that the page needs neither XState nor a layout engine.
 */
export interface ChartState {
  readonly id: string;
  /** The enclosing state. */
  readonly parent: string | null;
  readonly final: boolean;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** One arrow; events between the same two states share it. */
export interface ChartEdge {
  readonly from: string;
  readonly to: string;
  readonly events: readonly string[];
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Upper left corner of its label. */
  readonly label: readonly [x: number, y: number];
}

/** `guard` names the condition that has to hold; empty if there is none. */
export type ChartTransition = readonly [from: string, event: string, to: string, guard: string];

export interface Chart {
  readonly machine: string;
  readonly version: string;
  /** Digest of the definition, by which records name it. */
  readonly sha256: string;
  readonly initial: string;
  readonly width: number;
  readonly height: number;
  readonly states: readonly ChartState[];
  readonly edges: readonly ChartEdge[];
  readonly transitions: readonly ChartTransition[];
}

/** The transition for an event, a state's own before those of its parents; undefined if there is none. */
export function transitionOf(
  chart: Chart,
  state: string,
  event: string,
  holds: (guard: string) => boolean,
): ChartTransition | undefined {
  for (let from: string | null = state; from !== null; from = parentOf(chart, from)) {
    const taken = chart.transitions.find(
      ([source, type, , guard]) => source === from && type === event && (guard === "" || holds(guard)),
    );
    if (taken !== undefined) return taken;
  }
  return undefined;
}

/** The state and all enclosing ones. */
export function withParents(chart: Chart, state: string): string[] {
  const line: string[] = [];
  for (let at: string | null = state; at !== null; at = parentOf(chart, at)) line.push(at);
  return line;
}

function parentOf(chart: Chart, state: string): string | null {
  return chart.states.find(({ id }) => id === state)?.parent ?? null;
}
