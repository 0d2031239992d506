/** Draws a state machine at its natural size, with the active state, the way to it, and its last step. */
import type { Chart, ChartEdge, ChartState } from "../src/chart.ts";
import { withParents } from "../src/chart.ts";
import type { Transition } from "../src/frames.ts";
import { isLive } from "./store.ts";
import { shown } from "./text.tsx";

export interface StatechartProps {
  readonly chart: Chart;
  readonly active: string;
  /** The meaning of the active state, shown as its colour. */
  readonly tone: string;
  /** Transitions up to the active state, and those of the newest record. */
  readonly trail: readonly Transition[];
  readonly last: readonly Transition[];
}

export function Statechart({ chart, active, tone, trail, last }: StatechartProps) {
  const current = withParents(chart, active);
  const visited = trail.flatMap(({ from, to }) => [from, to]);
  // Highlighted arrows are drawn last, above those that they cross.
  const arrows = chart.edges
    .map((edge) => arrowOf(chart, edge, trail, last))
    .sort((left, right) => left.level - right.level);
  return (
    <section
      class={`chart ${tone}`}
      ref={(pane) => {
        if (pane !== null) reveal(pane, chart, active);
      }}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard
      tabIndex={0}
      aria-label={`state machine ${chart.machine}, now ${active}`}
    >
      <svg
        width={chart.width}
        height={chart.height}
        viewBox={`0 0 ${chart.width} ${chart.height}`}
        style={{ maxWidth: atLeast(chart.width), maxHeight: atLeast(chart.height) }}
        role="img"
      >
        <title>{`${chart.machine}: ${active}`}</title>
        <defs>{LEVELS.map((name) => headOf(chart, name))}</defs>
        {chart.states.map((state) => boxOf(chart, state, levelOf(state.id, current, visited)))}
        {arrows.map((arrow) => lineOf(chart, arrow))}
      </svg>
    </section>
  );
}

/** The name of the active state, and whether it is the current or a past one. */
export function Legend({ value }: { readonly value: string }) {
  return (
    <span class="legend">
      {isLive.value ? "now" : "then"} <b>{shown(value)}</b>
    </span>
  );
}

/**
 * How states, arrows and their events are drawn: apart from the way to the active state, on that way, or where its last
 * step led.
 */
const LEVELS = ["plain", "way", "step"] as const;

/** Index in `LEVELS`. */
function levelOf(name: string, step: readonly string[], way: readonly string[]): number {
  return step.includes(name) ? 2 : Number(way.includes(name));
}

interface Arrow {
  readonly edge: ChartEdge;
  /** Events by which it was taken in the last step, and on the way. */
  readonly step: readonly string[];
  readonly way: readonly string[];
  /** Index in `LEVELS`: the highest of its events. */
  readonly level: number;
}

function arrowOf(chart: Chart, edge: ChartEdge, trail: readonly Transition[], last: readonly Transition[]): Arrow {
  const { from, to, events } = edge;
  const takenIn = (transitions: readonly Transition[]): string[] =>
    transitions
      .filter((one) => events.includes(one.event))
      .filter((one) => withParents(chart, one.from).includes(from) && withParents(chart, one.to).includes(to))
      .map(({ event }) => event);
  const step = takenIn(last);
  const way = takenIn(trail);
  return { edge, step, way, level: Math.max(...events.map((event) => levelOf(event, step, way))) };
}

function headOf(chart: Chart, name: string) {
  return (
    <marker
      key={name}
      id={`${chart.machine}-${name}`}
      class={`head ${name}`}
      viewBox="0 0 8 8"
      refX="7"
      refY="4"
      markerWidth="9"
      markerHeight="9"
      markerUnits="userSpaceOnUse"
      orient="auto"
    >
      <path d="M0 0.500L8 4 0 7.500z" />
    </marker>
  );
}

function lineOf({ machine }: Chart, { edge, step, way, level }: Arrow) {
  return (
    <g key={`${edge.from} ${edge.to}`} class={`edge ${LEVELS[level]}`}>
      <path d={rounded(edge.points)} marker-end={`url(#${machine}-${LEVELS[level]})`} />
      {edge.events.map((event, line) => (
        <text
          key={event}
          class={LEVELS[levelOf(event, step, way)]}
          x={edge.label[0] + 4}
          y={edge.label[1] + 11 + line * 13}
        >
          {event}
        </text>
      ))}
    </g>
  );
}

function boxOf(chart: Chart, { id, x, y, width, height, final }: ChartState, level: number) {
  const isParent = chart.states.some(({ parent }) => parent === id);
  return (
    <g
      key={id}
      class={`state ${isParent ? "parent" : ""} ${LEVELS[level]}`}
      data-state={id}
      data-lit={level === 2 && !isParent ? "" : undefined}
    >
      <rect x={x} y={y} width={width} height={height} rx={isParent ? 12 : 9} />
      {final && <rect class="inner" x={x + 3} y={y + 3} width={width - 6} height={height - 6} rx="6" />}
      <text x={isParent ? x + 14 : x + width / 2} y={isParent ? y + 22 : y + height / 2 + 4}>
        {id}
      </text>
    </g>
  );
}

/** A chart that nearly fits is drawn a little smaller; otherwise it scrolls, so that its names stay legible. */
const atLeast = (pixels: number): string => `max(100%, ${Math.round(pixels * 0.86)}px)`;

/** Scrolls the active state to the middle, once for each state. */
function reveal(pane: HTMLElement, chart: Chart, active: string): void {
  const state = chart.states.find(({ id }) => id === active);
  const what = `${chart.sha256} ${active}`;
  if (state === undefined || pane.dataset["revealed"] === what) return;
  pane.dataset["revealed"] = what;
  const top = state.y + (state.height - pane.clientHeight) / 2;
  const left = state.x + (state.width - pane.clientWidth) / 2;
  pane.scrollTo({ top, left, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}

/** Pixels by which a corner is rounded. */
const CORNER = 7;

function rounded(points: ChartEdge["points"]): string {
  return points
    .map(([x, y], index) => {
      const before = points[index - 1];
      const after = points[index + 1];
      if (before === undefined) return `M${x} ${y}`;
      if (after === undefined) return `L${x} ${y}`;
      const [inX, inY] = towards([x, y], before);
      const [outX, outY] = towards([x, y], after);
      return `L${inX} ${inY}Q${x} ${y} ${outX} ${outY}`;
    })
    .join("");
}

function towards([x, y]: readonly [number, number], [toX, toY]: readonly [number, number]): [number, number] {
  const length = Math.hypot(toX - x, toY - y) || 1;
  const part = Math.min(CORNER, length / 2) / length;
  return [x + (toX - x) * part, y + (toY - y) * part];
}
