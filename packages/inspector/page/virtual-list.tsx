/** A list of which only what is seen is drawn, however long it is; arrow keys move in it. */
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

export interface VirtualListProps {
  readonly label: string;
  readonly count: number;
  readonly rowHeight: number;
  /** The row that is looked at, kept in view. */
  readonly current?: number;
  readonly empty: ComponentChildren;
  row(index: number): ComponentChildren;
  onEnter(index: number): void;
}

/** Rows that are drawn above and below what is seen. */
const AHEAD = 8;

export function VirtualList({ label, count, rowHeight, current = -1, empty, row, onEnter }: VirtualListProps) {
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const [chosen, setChosen] = useState(-1);
  const active = chosen >= 0 ? Math.min(chosen, count - 1) : current;
  useLayoutEffect(() => {
    const pane = box.current;
    if (pane === null) return;
    const measure = new ResizeObserver(() => setHeight(pane.clientHeight));
    measure.observe(pane);
    return () => measure.disconnect();
  }, []);
  const show = (index: number): void => {
    const pane = box.current;
    if (pane === null || index < 0) return;
    const [from, to] = [index * rowHeight, (index + 1) * rowHeight];
    if (from < pane.scrollTop) pane.scrollTop = from;
    else if (to > pane.scrollTop + pane.clientHeight) pane.scrollTop = to - pane.clientHeight;
  };
  useEffect(() => show(current), [current, height]);
  const move = (event: KeyboardEvent): void => {
    const page = Math.max(1, Math.floor(height / rowHeight) - 1);
    const steps: Record<string, number> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: -count,
      End: count,
    };
    if (event.key === "Enter" && active >= 0) return onEnter(active);
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = Math.min(Math.max(active + step, 0), count - 1);
    setChosen(next);
    show(next);
  };
  if (count === 0) return <div class="empty">{empty}</div>;
  const first = Math.max(0, Math.floor(top / rowHeight) - AHEAD);
  const last = Math.min(count, Math.ceil((top + height) / rowHeight) + AHEAD);
  return (
    <div
      class="list"
      ref={box}
      role="listbox"
      aria-label={label}
      aria-activedescendant={active >= 0 ? `${label}-${active}` : undefined}
      tabIndex={0}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
      onKeyDown={move}
    >
      <div class="rows" style={{ height: `${count * rowHeight}px` }}>
        {Array.from({ length: Math.max(0, last - first) }, (_, offset) => {
          const index = first + offset;
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the list takes the keys for all its rows
            <div
              key={index}
              id={`${label}-${index}`}
              class={index === active ? "row active" : "row"}
              role="option"
              tabIndex={-1}
              aria-selected={index === active}
              aria-setsize={count}
              aria-posinset={index + 1}
              style={{ height: `${rowHeight}px`, transform: `translateY(${index * rowHeight}px)` }}
              onClick={() => {
                setChosen(index);
                onEnter(index);
              }}
            >
              {row(index)}
            </div>
          );
        })}
      </div>
    </div>
  );
}
