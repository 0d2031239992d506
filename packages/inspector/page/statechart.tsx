/** A machine drawn at its own size: where it is, the way that it took there, and the last step of it. */
import type { Chart, ChartEdge } from "../src/chart.ts";
import { withParents } from "../src/chart.ts";
import type { Transition } from "../src/frames.ts";

export interface StatechartProps {
  readonly chart: Chart;
  readonly active: string;
  /** What the active state means: its colour. */
  readonly tone: string;
  /** States and steps before it, the last ones of the newest record. */
  readonly trail: readonly Transition[];
  readonly last: readonly Transition[];
}

export function Statechart({ chart, active, tone, trail, last }: StatechartProps) {
  const lit = new Set(withParents(chart, active));
  const visited = new Set(trail.flatMap(({ from, to }) => [from, to]));
  /** Events by which the arrow was taken. */
  const taken = ({ from, to, events }: ChartEdge, steps: readonly Transition[]): string[] =>
    steps
      .filter((step) => events.includes(step.event))
      .filter((step) => withParents(chart, step.from).includes(from) && withParents(chart, step.to).includes(to))
      .map(({ event }) => event);
  const drawn = chart.edges
    .map((edge) => {
      const [steps, way] = [taken(edge, last), taken(edge, trail)];
      return { edge, steps, way, level: steps.length > 0 ? 2 : way.length > 0 ? 1 : 0 };
    })
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
        <defs>
          {LEVELS.map((name) => (
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
          ))}
        </defs>
        {chart.states.map((state) => {
          const { id, x, y, width, height } = state;
          const isParent = chart.states.some(({ parent }) => parent === id);
          const name = ["state", isParent ? "parent" : "", lit.has(id) ? "lit" : visited.has(id) ? "visited" : ""];
          return (
            <g key={id} class={name.join(" ")} data-state={id} data-lit={lit.has(id) && !isParent ? "" : undefined}>
              <rect x={x} y={y} width={width} height={height} rx={isParent ? 12 : 9} />
              {state.final && <rect class="inner" x={x + 3} y={y + 3} width={width - 6} height={height - 6} rx="6" />}
              <text x={isParent ? x + 14 : x + width / 2} y={isParent ? y + 22 : y + height / 2 + 4}>
                {id}
              </text>
            </g>
          );
        })}
        {drawn.map(({ edge, steps, way, level }) => (
          <g key={`${edge.from} ${edge.to}`} class={`edge ${LEVELS[level]}`}>
            <path d={rounded(edge.points)} marker-end={`url(#${chart.machine}-${LEVELS[level]})`} />
            {edge.events.map((event, line) => (
              <text
                key={event}
                class={steps.includes(event) ? "step" : way.includes(event) ? "way" : ""}
                x={edge.label[0] + 4}
                y={edge.label[1] + 11 + line * 13}
              >
                {event}
              </text>
            ))}
          </g>
        ))}
      </svg>
    </section>
  );
}

/** A chart that nearly fits is drawn a little smaller; below that it scrolls, so that its names stay legible. */
const atLeast = (pixels: number): string => `max(100%, ${Math.round(pixels * 0.86)}px)`;

/** Brings the active state to the middle, once for each. */
function reveal(pane: HTMLElement, chart: Chart, active: string): void {
  const state = chart.states.find(({ id }) => id === active);
  const what = `${chart.sha256} ${active}`;
  if (state === undefined || pane.dataset["revealed"] === what) return;
  pane.dataset["revealed"] = what;
  const top = state.y + (state.height - pane.clientHeight) / 2;
  const left = state.x + (state.width - pane.clientWidth) / 2;
  pane.scrollTo({ top, left, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}

const LEVELS = ["plain", "way", "step"] as const;

/** Pixels by which a corner is cut. */
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
