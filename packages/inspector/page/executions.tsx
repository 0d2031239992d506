/** All executions, first those that need a person's attention. */
import { KINDS, type Kind } from "../src/history.ts";
import { KindIcon } from "./icons.tsx";
import { filterKinds, filterText, filterTool, isByTime, rows, tools } from "./list-filter.ts";
import { at, counts, held, link } from "./store.ts";
import { clock, KIND_WORDS, KindChip, shown, took } from "./text.tsx";
import { VirtualList } from "./virtual-list.tsx";

export function Executions() {
  const found = rows.value;
  const open = (index: number): void => {
    const row = found[index];
    if (row !== undefined) location.hash = link("executions", row.execution.id);
  };
  return (
    <div class="fill">
      <Filters />
      <div class="table executions-table">
        <div class="table-head" aria-hidden="true">
          <span>state</span>
          <span>tool</span>
          <span>request</span>
          <span>asked by</span>
          <span class="number">took</span>
          <span class="number">at, UTC</span>
          <span class="number">record</span>
        </div>
        <VirtualList
          label="executions"
          count={found.length}
          rowHeight={40}
          empty={<p class="calm">No execution matches at this moment.</p>}
          onEnter={open}
          row={(index) => {
            const row = found[index];
            if (row === undefined) return null;
            const { execution, step } = row;
            return (
              <>
                <KindChip kind={step.kind} />
                <b>{shown(execution.tool, 40)}</b>
                <code>{shown(execution.subject, 160)}</code>
                <span>{shown(execution.agent ?? "", 30)}</span>
                <span class="number">{durationOf(execution.records)}</span>
                <span class="number">{clock(execution.at)}</span>
                <span class="number">{execution.records[0]}</span>
              </>
            );
          }}
        />
      </div>
    </div>
  );
}

function durationOf(records: readonly number[]): string {
  for (const seq of records) {
    const record = held.value.record(seq);
    if (record?.type === "execution.outcome" && seq <= at.value) return took(record.body.duration_us);
  }
  return "";
}

function Filters() {
  const toggle = (kind: Kind): void => {
    const now = filterKinds.value;
    filterKinds.value = now.includes(kind) ? now.filter((other) => other !== kind) : [...now, kind];
  };
  return (
    <search class="filters">
      <fieldset>
        <legend>state</legend>
        {KINDS.map((kind) => (
          <button
            key={kind}
            type="button"
            class={`toggle ${kind}`}
            aria-pressed={filterKinds.value.includes(kind)}
            onClick={() => toggle(kind)}
          >
            <KindIcon kind={kind} />
            {KIND_WORDS[kind]} <b>{counts.value[kind].toLocaleString("en")}</b>
          </button>
        ))}
      </fieldset>
      <span class="grow" />
      <select
        aria-label="tool"
        value={filterTool.value}
        onChange={(event) => {
          filterTool.value = event.currentTarget.value;
        }}
      >
        <option value="">every tool</option>
        {tools.value.map((tool) => (
          <option key={tool} value={tool}>
            {shown(tool, 40)}
          </option>
        ))}
      </select>
      <input
        type="search"
        aria-label="search in requests"
        placeholder="search"
        value={filterText.value}
        onInput={(event) => {
          filterText.value = event.currentTarget.value;
        }}
      />
      <button
        type="button"
        class="toggle"
        aria-pressed={isByTime.value}
        onClick={() => {
          isByTime.value = !isByTime.value;
        }}
      >
        newest first
      </button>
    </search>
  );
}
