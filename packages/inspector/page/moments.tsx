/** Time travel: every record is a stop, and all views show the state after the chosen one. */
import { Icon, type IconName } from "./icons.tsx";
import { at, cursor, denialFrom, held, isLive, isPlaying, link, moveTo, version } from "./store.ts";
import { clock, shown } from "./text.tsx";

export function Moments() {
  version.value;
  const { start, size } = held.value;
  const seq = at.value;
  const record = held.value.record(seq);
  const denial = (direction: 1 | -1) => denialFrom(seq, direction);
  const play = (): void => {
    if (!isPlaying.value && cursor.value === null) cursor.value = start;
    isPlaying.value = !isPlaying.value;
  };
  if (size <= start) return <footer class="moments" />;
  return (
    <footer class="moments">
      <Step icon="first" name="previous denial" to={denial(-1)} tone="denied" />
      <Step icon="previous" name="previous record" to={seq > start ? seq - 1 : null} />
      <button type="button" class="icon-button" onClick={play} title={isPlaying.value ? "stop" : "play"}>
        <Icon name={isPlaying.value ? "stop" : "play"} />
      </button>
      <Step icon="next" name="next record" to={seq < size - 1 ? seq + 1 : null} />
      <Step icon="last" name="next denial" to={denial(1)} tone="denied" />
      <input
        type="range"
        min={start}
        max={size - 1}
        value={seq}
        aria-label="record"
        aria-valuetext={`record ${seq}, ${record?.type ?? ""}`}
        onInput={(event) => moveTo(event.currentTarget.valueAsNumber)}
      />
      <a class="where" href={link("timeline")}>
        <b>{seq.toLocaleString("en")}</b> of {(size - 1).toLocaleString("en")}
        <small>
          {record === undefined ? "" : clock(record.at)} {shown(record?.type ?? "", 40)}
        </small>
      </a>
      <button
        type="button"
        class={isLive.value ? "now on" : "now"}
        disabled={cursor.value === null}
        onClick={() => moveTo(size)}
      >
        {cursor.value === null ? "newest" : "to the newest"}
      </button>
    </footer>
  );
}

function Step(props: {
  readonly icon: IconName;
  readonly name: string;
  readonly to: number | null;
  readonly tone?: string;
}) {
  const { icon, name, to, tone = "" } = props;
  return (
    <button
      type="button"
      class={`icon-button ${tone}`}
      disabled={to === null}
      title={name}
      onClick={() => to !== null && moveTo(to)}
    >
      <Icon name={icon} />
    </button>
  );
}
