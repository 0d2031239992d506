/** The decisions of policy, newest first, and how often each rule decided. */
import { computed, signal } from "@preact/signals-core";
import { type Decided, isDecided, verdictOf } from "./decision.tsx";
import { at, held, link, version } from "./store.ts";
import { clock, Pane, shown } from "./text.tsx";
import { VirtualList } from "./virtual-list.tsx";

const tone = signal<string>("");
const rule = signal<string>("");

const decisions = computed<readonly Decided[]>(() => {
  version.value;
  const { records, start } = held.value;
  const found: Decided[] = [];
  for (let index = Math.min(at.value - start, records.length - 1); index >= 0; index -= 1) {
    const record = records[index];
    if (record !== undefined && isDecided(record)) found.push(record);
  }
  return found;
});

const matching = computed(() =>
  decisions.value.filter(
    (record) =>
      (tone.value === "" || verdictOf(record).tone === tone.value) &&
      (rule.value === "" || (record.body.rules[0] ?? NO_RULE) === rule.value),
  ),
);

const NO_RULE = "no rule";

/** LIMIT: rules listed in the margin. */
const RULES_SHOWN = 14;

const tally = computed(() => {
  const counted = new Map<string, { count: number; tone: string }>();
  for (const record of decisions.value) {
    const id = record.body.rules[0] ?? NO_RULE;
    const known = counted.get(id) ?? { count: 0, tone: id === NO_RULE ? "message" : verdictOf(record).tone };
    known.count += 1;
    counted.set(id, known);
  }
  return [...counted].sort(([, left], [, right]) => right.count - left.count).slice(0, RULES_SHOWN);
});

const TONES = [
  ["denied", "denied"],
  ["waiting", "asked"],
  ["done", "authorized"],
  ["failed", "not understood"],
] as const;

export function Decisions() {
  const found = matching.value;
  return (
    <div class="fill">
      {filters()}
      <div class="side-by-side">
        <div class="table">
          <VirtualList
            label="decisions"
            count={found.length}
            rowHeight={58}
            empty={<p class="calm">No decision matches at this moment.</p>}
            onEnter={(index) => {
              location.hash = link("executions", found[index]?.execution ?? "");
            }}
            row={(index) => rowOf(found[index])}
          />
        </div>
        <Pane title="Rules that decided">{rulesByUse()}</Pane>
      </div>
    </div>
  );
}

function filters() {
  return (
    <search class="filters">
      <fieldset>
        <legend>how it was decided</legend>
        {TONES.map(([name, word]) => (
          <button
            key={name}
            type="button"
            class={`toggle ${name}`}
            aria-pressed={tone.value === name}
            onClick={() => {
              tone.value = tone.value === name ? "" : name;
            }}
          >
            {word}
          </button>
        ))}
      </fieldset>
      {rule.value !== "" && (
        <button
          type="button"
          class="toggle"
          aria-pressed
          onClick={() => {
            rule.value = "";
          }}
        >
          only {shown(rule.value, 60)} ✕
        </button>
      )}
    </search>
  );
}

function rulesByUse() {
  const most = Math.max(1, ...tally.value.map(([, { count }]) => count));
  return (
    <ul class="tally">
      {tally.value.map(([id, { count, tone: color }]) => (
        <li key={id}>
          <button
            type="button"
            aria-pressed={rule.value === id}
            onClick={() => {
              rule.value = rule.value === id ? "" : id;
            }}
          >
            <code>{shown(id, 60)}</code>
            <span class="number">{count.toLocaleString("en")}</span>
            <span class="lane">
              <span class={`bar ${color}`} style={{ width: `${(count / most) * 100}%` }} />
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function rowOf(record: Decided | undefined) {
  if (record === undefined) return null;
  const { word, tone: color } = verdictOf(record);
  const { tool, rules } = record.body;
  const reason =
    record.type === "execution.refused"
      ? record.body.error.reason
      : rules.filter((id) => !id.endsWith("/granted")).join(", ");
  return (
    <div class="decision">
      <span class={`word ${color}`}>{word}</span>
      <b>{shown(tool ?? "no call", 40)}</b>
      <code>{shown(held.value.execution(record.execution ?? "")?.subject ?? "", 160)}</code>
      <time>{clock(record.at)}</time>
      <span class="why">{shown(reason, 240)}</span>
    </div>
  );
}
