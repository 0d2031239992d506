/** The supervision tree, and each machine with its active state highlighted. */
import { MACHINE_NAMES, type MachineName, SUBSYSTEMS } from "../src/frames.ts";
import { CHARTS } from "./charts.ts";
import { Legend, Statechart } from "./statechart.tsx";
import { at, held, link, openExecutions, version } from "./store.ts";
import { Pane, plural, shown } from "./text.tsx";
import { machineTone, phaseTone, subsystemTone } from "./tones.ts";

export function Supervision({ machine }: { readonly machine: string }) {
  version.value;
  const name: MachineName = MACHINE_NAMES.find((known) => known === machine) ?? "lifecycle";
  const step = held.value.machineAt(name, at.value);
  const chart = CHARTS.find(({ sha256 }) => sha256 === step.sha256);
  const tone = machineTone(name, step.value, held.value.regionsAt(at.value));
  return (
    <div class="supervision">
      <Pane title="Supervision tree">
        <Tree current={name} />
      </Pane>
      <Pane title={name} className="chart-pane" aside={<Legend value={step.value} />}>
        {chart === undefined ? (
          <p class="calm">The version of this machine is not known here.</p>
        ) : (
          <Statechart chart={chart} active={step.value} tone={tone} trail={step.via} last={step.via} />
        )}
      </Pane>
    </div>
  );
}

function Tree({ current }: { readonly current: MachineName }) {
  const seq = at.value;
  const regions = held.value.regionsAt(seq);
  const open = openExecutions.value;
  const phase = held.value.machineAt("lifecycle", seq).value;
  return (
    <ul class="tree">
      <li>
        <Node
          name="lifecycle"
          value={phase}
          tone={phaseTone(phase)}
          note="the root"
          isCurrent={current === "lifecycle"}
        />
        <ul>
          {SUBSYSTEMS.map((name) => {
            const { value } = held.value.machineAt(name, seq);
            const region = regions[name];
            const crashes = crashesOf(name, seq);
            const note = crashes === 0 ? region : `${region}, ${plural(crashes, "crash", "crashes")}`;
            return (
              <li key={name}>
                <Node
                  name={name}
                  value={value}
                  tone={subsystemTone(value, region)}
                  note={note}
                  isCurrent={current === name}
                />
              </li>
            );
          })}
          <li>
            <a class="node" href={link("executions")}>
              <span class={`dot ${open.length > 0 ? "running" : "message"}`} aria-hidden="true" />
              <b>executions</b>
              <em>{open.length} open</em>
              <small>a machine for each</small>
            </a>
            {open.length > 0 && (
              <ul>
                {open.slice(-4).map(({ execution, step }) => (
                  <li key={execution.id}>
                    <a class="node" href={link("executions", execution.id)}>
                      <span class={`dot ${step.kind}`} aria-hidden="true" />
                      <b>{shown(execution.tool, 30)}</b>
                      <small>{step.value}</small>
                    </a>
                  </li>
                ))}
              </ul>
            )}
          </li>
        </ul>
      </li>
    </ul>
  );
}

function Node(props: {
  readonly name: MachineName;
  readonly value: string;
  readonly tone: string;
  readonly note: string;
  readonly isCurrent: boolean;
}) {
  const { name, value, tone, note, isCurrent } = props;
  return (
    <a
      class={isCurrent ? "node current" : "node"}
      href={link("supervision", name)}
      aria-current={isCurrent ? "true" : undefined}
    >
      <span class={`dot ${tone}`} aria-hidden="true" />
      <b>{name}</b>
      <em>{shown(value)}</em>
      <small>{note}</small>
    </a>
  );
}

function crashesOf(name: string, seq: number): number {
  let count = 0;
  for (const record of held.value.records) {
    if (record.seq > seq) break;
    if (record.type === "supervision.crashed" && record.body.subsystem === name) count += 1;
  }
  return count;
}
