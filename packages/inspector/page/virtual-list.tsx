/** A list that renders only its visible rows, however long it is, and in which arrow keys move. */
import { Component, type ComponentChildren, createRef } from "preact";

export interface VirtualListProps {
  readonly label: string;
  readonly count: number;
  readonly rowHeight: number;
  /** The row to keep in view. */
  readonly current?: number;
  readonly empty: ComponentChildren;
  row(index: number): ComponentChildren;
  onEnter(index: number): void;
}

/** Rows that are rendered above and below the visible ones. */
const AHEAD = 8;

interface Place {
  readonly top: number;
  readonly height: number;
  /** The row chosen by keys; -1 before any was pressed. */
  readonly chosen: number;
}

/** Where each list was left, for the way back from what was opened in it. */
const left = new Map<string, Place>();

export class VirtualList extends Component<VirtualListProps, Place> {
  readonly #box = createRef<HTMLDivElement>();
  readonly #size = new ResizeObserver(() => this.setState({ height: this.#box.current?.clientHeight ?? 0 }));
  override state: Place = left.get(this.props.label) ?? { top: 0, height: 600, chosen: -1 };

  override componentDidMount(): void {
    if (this.#box.current !== null) this.#box.current.scrollTop = this.state.top;
    this.componentDidUpdate({ current: -1 }, this.state);
  }

  override componentDidUpdate(before: { readonly current?: number }, place: Place): void {
    const { current = -1 } = this.props;
    if (this.#box.current !== null) this.#size.observe(this.#box.current);
    if (before.current !== current || place.height !== this.state.height) this.#show(current);
  }

  override componentWillUnmount(): void {
    this.#size.disconnect();
    left.set(this.props.label, this.state);
  }

  override render() {
    const { label, count, rowHeight, empty } = this.props;
    const { top, height } = this.state;
    if (count === 0) return <div class="empty">{empty}</div>;
    const active = this.#active;
    const first = Math.max(0, Math.floor(top / rowHeight) - AHEAD);
    const last = Math.min(count, Math.ceil((top + height) / rowHeight) + AHEAD);
    return (
      <div
        class="list"
        ref={this.#box}
        role="listbox"
        aria-label={label}
        aria-activedescendant={active >= 0 ? `${label}-${active}` : undefined}
        tabIndex={0}
        onScroll={(event) => this.setState({ top: event.currentTarget.scrollTop })}
        onKeyDown={(event) => this.#move(event)}
      >
        <div class="rows" style={{ height: `${count * rowHeight}px` }}>
          {Array.from({ length: Math.max(0, last - first) }, (_, offset) => this.#row(first + offset, active))}
        </div>
      </div>
    );
  }

  get #active(): number {
    const { current = -1, count } = this.props;
    return this.state.chosen >= 0 ? Math.min(this.state.chosen, count - 1) : current;
  }

  #row(index: number, active: number) {
    const { label, count, rowHeight, row, onEnter } = this.props;
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
          this.setState({ chosen: index });
          onEnter(index);
        }}
      >
        {row(index)}
      </div>
    );
  }

  #show(index: number): void {
    const pane = this.#box.current;
    if (pane === null || index < 0) return;
    const { rowHeight } = this.props;
    const [from, to] = [index * rowHeight, (index + 1) * rowHeight];
    if (from < pane.scrollTop) pane.scrollTop = from;
    else if (to > pane.scrollTop + pane.clientHeight) pane.scrollTop = to - pane.clientHeight;
  }

  #move(event: KeyboardEvent): void {
    const { count, rowHeight, onEnter } = this.props;
    const active = this.#active;
    const page = Math.max(1, Math.floor(this.state.height / rowHeight) - 1);
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
    const chosen = Math.min(Math.max(active + step, 0), count - 1);
    this.setState({ chosen });
    this.#show(chosen);
  }
}
