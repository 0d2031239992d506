/** One execution: its state in its machine, how long each part took, why it was decided so, and its outcome. */
import type { TypedRecord } from "@femtoclaw/protocol";
import { type ExecutionStep, stepAt } from "../src/history.ts";
import { CHARTS } from "./charts.ts";
import { Decision } from "./decision.tsx";
import { Outcome } from "./outcome.tsx";
import { RecordTable } from "./record-table.tsx";
import { Legend, Statechart } from "./statechart.tsx";
import { at, held, link, version } from "./store.ts";
import { day, Facts, KindChip, Pane, shown } from "./text.tsx";
import { Waterfall } from "./waterfall.tsx";

export function ExecutionPage({ id }: { readonly id: string }) {
  version.value;
  const execution = held.value.execution(id);
  const step = stepAt(execution, at.value);
  if (execution === undefined || step === undefined) {
    return (
      <div class="empty">
        <p class="calm">
          {execution === undefined
            ? "No execution of this name is in the records that are shown."
            : "At this moment the call has not been made yet."}
        </p>
        <a href={link("executions")}>all executions</a>
      </div>
    );
  }
  const chart = CHARTS.find(({ sha256 }) => sha256 === execution.chart);
  const records = execution.records.filter((seq) => seq <= at.value).flatMap((seq) => held.value.record(seq) ?? []);
  const steps = execution.steps.filter(({ seq }) => seq <= at.value);
  return (
    <div class="execution">
      <header class="subject">
        <a href={link("executions")} aria-label="back to all executions">
          ←
        </a>
        <KindChip kind={step.kind} />
        <h2>{shown(execution.tool, 60)}</h2>
        <code>{shown(execution.subject, 400)}</code>
      </header>
      <div class="halves">
        <Pane title="Where it stands" className="chart-pane" aside={<Legend value={step.value} />}>
          {chart === undefined ? (
            <p class="calm">The version of the machine that this was recorded with is not known here.</p>
          ) : (
            <Statechart
              chart={chart}
              active={step.value}
              tone={step.kind}
              trail={steps.flatMap(({ via }) => via)}
              last={lastVia(steps)}
            />
          )}
        </Pane>
        <div class="scroll" tabIndex={-1}>
          <Pane title="From the call to its answer">
            <Waterfall records={records} />
          </Pane>
          <Decision records={records} />
          <Outcome records={records} />
          <Pane title="Records">
            <RecordTable records={records} />
          </Pane>
          <Pane title="Who asked">
            <Facts rows={whoOf(id, execution.session, records)} />
          </Pane>
        </div>
      </div>
    </div>
  );
}

const lastVia = (steps: readonly ExecutionStep[]) => steps.findLast(({ via }) => via.length > 0)?.via ?? [];

function whoOf(id: string, session: string | null, records: readonly TypedRecord[]) {
  const [first] = records;
  const label = records.flatMap((record) => ("label" in record.body ? (record.body.label ?? []) : []))[0];
  return [
    ["execution", <code key="id">{id}</code>],
    ["session", <code key="session">{session ?? "none"}</code>],
    ["principal", shown(first?.actor?.principal ?? "the runtime")],
    ["calls itself", shown(first?.actor?.agent ?? "nothing")],
    ["came through", shown(first?.actor?.channel ?? "")],
    ...(label === undefined ? [] : [["label", shown(label)] as const]),
    ["at", first === undefined ? "" : day(first.at)],
  ] as const;
}
