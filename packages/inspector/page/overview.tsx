/** What a person asks first: does it run, does anything wait for me, what was refused, are all subsystems up. */
import { SUBSYSTEMS } from "../src/frames.ts";
import { KINDS, type Kind, stepAt } from "../src/history.ts";
import { Activity } from "./activity.tsx";
import { KindIcon } from "./icons.tsx";
import { filterKinds } from "./list-filter.ts";
import { at, connection, counts, cursor, held, isLive, link, STILL_READING, status, version } from "./store.ts";
import { clock, KIND_WORDS, KindChip, Pane, plural, shown } from "./text.tsx";
import { phaseTone, subsystemTone } from "./tones.ts";

export function Overview() {
  version.value;
  return (
    <div class="overview">
      <Greeting />
      <ul class="tiles" aria-label="executions by what became of them">
        {KINDS.map((kind) => (
          <li key={kind}>
            <a
              class={`tile ${kind} ${counts.value[kind] === 0 ? "none" : ""}`}
              href={link("executions")}
              onClick={() => {
                filterKinds.value = [kind];
              }}
            >
              <b>{counts.value[kind].toLocaleString("en")}</b>
              <span>
                <KindIcon kind={kind} />
                {KIND_WORDS[kind]}
              </span>
            </a>
          </li>
        ))}
      </ul>
      <div class="columns">
        <div class="stack">
          <Newest title="Waits for you" kinds={["waiting", "interrupted"]} none="Nothing waits for you." most={4} />
          <Newest title="Refused and failed" kinds={["denied", "failed"]} none="Nothing was refused." most={8} />
        </div>
        <div class="stack">
          <Pane title="Activity">
            <Activity />
          </Pane>
          <Standing />
          <Newest title="Done" kinds={["done"]} none="Nothing has been done yet." most={4} />
        </div>
      </div>
    </div>
  );
}

const PHASES: Readonly<Record<string, string>> = {
  idle: "Ready. Calls are decided as they come.",
  executing: "At work: a permitted call is running.",
  draining: "Draining: no new calls, what runs is finished.",
  error: "Stopped by a fault: no calls are taken.",
  shuttingDown: "Shutting down.",
  terminated: "At rest. The host has ended.",
};

function Greeting() {
  const phase = held.value.machineAt("lifecycle", at.value).value;
  const { waiting } = counts.value;
  const waits =
    waiting === 0
      ? "Nothing waits for you."
      : `${plural(waiting, "call")} ${waiting === 1 ? "waits" : "wait"} for you.`;
  // While the log is still being read, the state shown would be a past one.
  const isRead = connection.value !== "opening";
  const told = isRead ? (PHASES[phase] ?? `Starting: ${shown(phase)}.`) : STILL_READING;
  const tone = phaseTone(phase);
  return (
    <div class={`greeting ${tone}`}>
      <span class="pulse" aria-hidden="true" />
      <p>
        <strong>{told}</strong> {isRead && waits}
      </p>
      <span class="note">{isLive.value ? "now" : "as the records have it"}</span>
    </div>
  );
}

function Newest(props: {
  readonly title: string;
  readonly kinds: readonly Kind[];
  readonly none: string;
  /** LIMIT: executions listed in the pane. */
  readonly most: number;
}) {
  const { title, kinds, none, most } = props;
  const { executions } = held.value;
  const found = [];
  for (let index = held.value.begunBy(at.value) - 1; index >= 0 && found.length < most; index -= 1) {
    const execution = executions[index];
    const step = stepAt(execution, at.value);
    if (execution !== undefined && step !== undefined && kinds.includes(step.kind)) found.push({ execution, step });
  }
  const total = kinds.reduce((sum, kind) => sum + counts.value[kind], 0);
  return (
    <Pane
      title={title}
      aside={total > most ? <a href={link("executions")}>all {total.toLocaleString("en")}</a> : undefined}
    >
      {found.length === 0 ? (
        <p class="calm">{connection.value === "opening" ? STILL_READING : none}</p>
      ) : (
        <ul class="lines">
          {found.map(({ execution, step }) => (
            <li key={execution.id}>
              <a href={link("executions", execution.id)}>
                <KindChip kind={step.kind} />
                <b>{shown(execution.tool, 40)}</b>
                <code>{shown(execution.subject, 120)}</code>
                <time>{clock(execution.at)}</time>
              </a>
            </li>
          ))}
        </ul>
      )}
    </Pane>
  );
}

/** Each subsystem's own state, and its supervision's. */
function Standing() {
  const seq = at.value;
  const regions = held.value.regionsAt(seq);
  const { sandbox, memory } = (status.value ?? {}) as {
    sandbox?: string | null;
    memory?: { free_bytes?: number | null };
  };
  const free = memory?.free_bytes ?? null;
  return (
    <Pane title="Subsystems" aside={<a href={link("supervision")}>supervision</a>}>
      <ul class="subsystems">
        {SUBSYSTEMS.map((name) => {
          const { value } = held.value.machineAt(name, seq);
          return (
            <li key={name}>
              <a href={link("supervision", name)}>
                <span class={`dot ${subsystemTone(value, regions[name])}`} aria-hidden="true" />
                {name}
                <em>{regions[name] === "up" ? value : regions[name]}</em>
              </a>
            </li>
          );
        })}
      </ul>
      {status.value !== null && cursor.value === null && (
        <p class="note">
          {sandbox === null || sandbox === undefined ? "no sandbox is needed" : `programs run in ${shown(sandbox)}`}
          {free === null ? "" : ` · ${Math.floor(free / 1_073_741_824)} GiB of disk left`}
        </p>
      )}
    </Pane>
  );
}
