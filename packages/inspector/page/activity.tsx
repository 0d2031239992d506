/** Activity over time: executions in the order of their records, in equal sections, each coloured by kind. */
import { KINDS, type Kind, stepAt } from "../src/history.ts";
import { at, held, moveTo } from "./store.ts";

const PIECES = 48;
const WIDTH = 480;
const HEIGHT = 92;

export function Activity() {
  const { start, executions } = held.value;
  const last = Math.max(at.value, start + PIECES);
  const span = last - start + 1;
  const pieces = Array.from({ length: PIECES }, () => new Map<Kind, number>());
  const begun = held.value.begunBy(at.value);
  for (let index = 0; index < begun; index += 1) {
    const execution = executions[index];
    const step = stepAt(execution, at.value);
    const first = execution?.records[0] ?? start;
    const piece = pieces[Math.floor(((Math.max(first, start) - start) / span) * PIECES)];
    if (step !== undefined) piece?.set(step.kind, (piece.get(step.kind) ?? 0) + 1);
  }
  const most = Math.max(1, ...pieces.map((piece) => [...piece.values()].reduce((sum, count) => sum + count, 0)));
  const width = WIDTH / PIECES;
  return (
    <svg class="activity" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img">
      <title>{`executions from record ${start} to record ${at.value}`}</title>
      {pieces.map((piece, index) => {
        let top = HEIGHT - 1;
        return (
          // biome-ignore lint/a11y/noStaticElementInteractions: the slider below does the same for keyboards
          <g key={index} onClick={() => moveTo(Math.round(start + ((index + 1) / PIECES) * span) - 1)}>
            <rect class="ground" x={index * width + 1} y="0" width={width - 2} height={HEIGHT - 1} rx="2" />
            {KINDS.toReversed().map((kind) => {
              const count = piece.get(kind) ?? 0;
              const height = (count / most) * (HEIGHT - 4);
              top -= height;
              return (
                count > 0 && (
                  <rect
                    key={kind}
                    class={`bar ${kind}`}
                    x={index * width + 1}
                    y={top}
                    width={width - 2}
                    height={Math.max(height, 2)}
                    rx="1.5"
                  />
                )
              );
            })}
          </g>
        );
      })}
    </svg>
  );
}
