/** Every record and what it changed: the state of all machines at the moment that is shown. */
import { MACHINE_NAMES } from "../src/frames.ts";
import { stepAt } from "../src/history.ts";
import { at, held, link, moveTo, openExecutions, version } from "./store.ts";
import { clock, day, Facts, Json, Lines, Pane, shown } from "./text.tsx";
import { machineTone } from "./tones.ts";
import { VirtualList } from "./virtual-list.tsx";

export function Timeline() {
  version.value;
  const { records, start } = held.value;
  const record = held.value.record(at.value);
  return (
    <div class="side-by-side even">
      <div class="table">
        <VirtualList
          label="records"
          count={records.length}
          rowHeight={34}
          current={at.value - start}
          empty={<p class="calm">No records yet.</p>}
          onEnter={(index) => moveTo(start + index)}
          row={(index) => {
            const one = records[index];
            if (one === undefined) return null;
            const execution = one.execution === null ? undefined : held.value.execution(one.execution);
            const step = stepAt(execution, one.seq);
            return (
              <div class={one.seq > at.value ? "moment later" : "moment"}>
                <span class="number">{one.seq}</span>
                <time>{clock(one.at)}</time>
                <span class={`word ${step?.kind ?? ""}`}>{one.type}</span>
                <code>
                  {shown(execution === undefined ? aboutOf(one.body) : `${execution.tool} ${execution.subject}`, 120)}
                </code>
              </div>
            );
          }}
        />
      </div>
      <div class="scroll" tabIndex={-1}>
        <Pane title="State at this moment">
          <States />
        </Pane>
        {record !== undefined && (
          <Pane title={`Record ${record.seq}`} aside={shown(record.type)}>
            <Facts
              rows={[
                ["at", day(record.at)],
                ["by", shown(record.actor?.principal ?? "the runtime")],
                ["machine", `${record.machine.id} version ${record.machine.version}`],
                ...(record.execution === null
                  ? []
                  : [
                      [
                        "execution",
                        <a key="execution" href={link("executions", record.execution)}>
                          {record.execution}
                        </a>,
                      ] as const,
                    ]),
              ]}
            />
            <Json label="body of the record" value={record.body} />
          </Pane>
        )}
      </div>
    </div>
  );
}

/** The fields that say what a record is about, in the order of a sentence. */
const ABOUT = "name server program subsystem event change state to version reason".split(" ");

/** A short description of a record that belongs to no execution. */
function aboutOf(body: object): string {
  const fields = body as Readonly<Record<string, unknown>>;
  const { to, revision } = fields;
  // A machine changes to a state, and a deployment to a version.
  const next = (to as { readonly version?: unknown } | null | undefined)?.version ?? to;
  const words = { ...fields, to: typeof next === "string" && `→ ${next}` };
  const said = ABOUT.map((name) => words[name as "to"]).filter((word) => typeof word === "string");
  return said.length === 0 && typeof revision === "string" ? revision.slice(0, 12) : said.join(" ");
}

function States() {
  const seq = at.value;
  const regions = held.value.regionsAt(seq);
  const open = openExecutions.value;
  return (
    <>
      <ul class="states">
        {MACHINE_NAMES.map((name) => {
          const { value, seq: since } = held.value.machineAt(name, seq);
          return (
            <li key={name} class={since === seq ? "changed" : ""}>
              <a href={link("supervision", name)}>
                {name} <em class={machineTone(name, value, regions)}>{shown(value)}</em>
              </a>
            </li>
          );
        })}
      </ul>
      {open.length === 0 ? (
        <p class="calm">No execution is open.</p>
      ) : (
        <Lines rows={open.slice(0, 6)} of={({ step }) => <code>{shown(step.value)}</code>} />
      )}
      {open.length > 6 && <p class="note">and {open.length - 6} more</p>}
    </>
  );
}
