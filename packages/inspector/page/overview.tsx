/** What a person asks first: does it run, does anything wait for me, what was refused, are all subsystems up. */
import { SUBSYSTEMS } from "../src/frames.ts";
import { type Execution, type ExecutionStep, KINDS, type Kind, needsPerson } from "../src/history.ts";
import { Activity } from "./activity.tsx";
import { KindIcon } from "./icons.tsx";
import { filterKinds } from "./list-filter.ts";
import {
  at,
  type Connection,
  connection,
  counts,
  executionsLike,
  held,
  isLive,
  link,
  STILL_READING,
  status,
  version,
} from "./store.ts";
import { clock, KIND_WORDS, Lines, Pane, plural, shown } from "./text.tsx";
import { phaseTone, subsystemTone } from "./tones.ts";

export function Overview() {
  version.value;
  return (
    <div class="overview">
      <Greeting />
      <ul class="tiles" aria-label="executions by state">
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
          <Newest
            title="Waits for you"
            kinds={["waiting", "interrupted"]}
            belongs={needsPerson}
            none="Nothing waits for you."
            most={4}
          />
          <Newest title="Refused and failed" kinds={["denied", "failed"]} none="Nothing was refused." most={6} />
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
  terminated: "The host has ended.",
};

function Greeting() {
  const phase = held.value.machineAt("lifecycle", at.value).value;
  const waiting = executionsLike(needsPerson).length;
  const waits =
    waiting === 0
      ? "Nothing waits for you."
      : `${plural(waiting, "call")} ${waiting === 1 ? "waits" : "wait"} for you.`;
  // Neither while the log is still being read nor without a host is the state that is shown that of the host.
  const said: Partial<Record<Connection, readonly [strong: string, then: string]>> = {
    opening: [STILL_READING, ""],
    lost: [
      "The host does not answer.",
      "This is the state after its last record. If the host has ended, start it again. The page then goes on by itself, as long as `femtoclaw inspect` runs.",
    ],
  };
  const [strong, then] = said[connection.value] ?? [PHASES[phase] ?? `Starting: ${shown(phase)}.`, waits];
  const tone = connection.value === "lost" ? "failed" : phaseTone(phase);
  return (
    <div class={`greeting ${tone}`}>
      <span class="pulse" aria-hidden="true" />
      <p role="status">
        <strong>{strong}</strong> {then}
      </p>
      <span class="note">{isLive.value ? "now" : "as the records have it"}</span>
    </div>
  );
}

/** Why it was refused or failed. */
function reasonOf({ records }: Execution): string {
  const last = held.value.record(records.at(-1) ?? -1);
  return last?.type === "execution.refused" || last?.type === "execution.outcome"
    ? (last.body.error?.reason ?? "")
    : "";
}

function Newest(props: {
  readonly title: string;
  readonly kinds: readonly Kind[];
  /** Which of those kinds are listed; by default all. */
  readonly belongs?: (step: ExecutionStep) => boolean;
  readonly none: string;
  /** LIMIT: executions listed in the pane. */
  readonly most: number;
}) {
  const { title, kinds, belongs = ({ kind }) => kinds.includes(kind), none, most } = props;
  const found = executionsLike(belongs, most);
  const total = kinds.reduce((sum, kind) => sum + counts.value[kind], 0);
  return (
    <Pane
      title={title}
      aside={
        total > most && (
          <a
            href={link("executions")}
            onClick={() => {
              filterKinds.value = kinds;
            }}
          >
            all {total.toLocaleString("en")}
          </a>
        )
      }
    >
      {found.length === 0 ? (
        <p class="calm">{connection.value === "opening" ? STILL_READING : none}</p>
      ) : (
        <Lines
          rows={found}
          of={({ execution }) => (
            <>
              <code>{shown(execution.subject, 120)}</code>
              <time>{clock(execution.at)}</time>
              {kinds.includes("denied") && <small>{shown(reasonOf(execution), 160)}</small>}
            </>
          )}
        />
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
      {status.value !== null && isLive.value && (
        <p class="note">
          {sandbox === null || sandbox === undefined ? "no sandbox is needed" : `programs run in ${shown(sandbox)}`}
          {free === null ? "" : ` · ${Math.floor(free / 1_073_741_824)} GiB of disk left`}
        </p>
      )}
    </Pane>
  );
}
