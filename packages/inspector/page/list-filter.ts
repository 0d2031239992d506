/** The filters and the order of the list of executions. */
import { computed, signal } from "@preact/signals-core";
import { type Execution, type ExecutionStep, KINDS, type Kind, stepAt } from "../src/history.ts";
import { at, held, version } from "./store.ts";

export const filterKinds = signal<readonly Kind[]>([]);
export const filterText = signal("");
export const filterTool = signal("");
export const isByTime = signal(false);

export interface Row {
  readonly execution: Execution;
  readonly step: ExecutionStep;
}

export const rows = computed<readonly Row[]>(() => {
  version.value;
  const history = held.value;
  const [seq, text, tool] = [at.value, filterText.value.toLowerCase(), filterTool.value];
  const kinds = new Set(filterKinds.value);
  const found: Row[] = [];
  for (let index = history.begunBy(seq) - 1; index >= 0; index -= 1) {
    const execution = history.executions[index];
    const step = stepAt(execution, seq);
    if (execution === undefined || step === undefined) continue;
    if (kinds.size > 0 && !kinds.has(step.kind)) continue;
    if (tool !== "" && execution.tool !== tool) continue;
    if (text !== "" && !`${execution.tool} ${execution.subject} ${execution.id}`.toLowerCase().includes(text)) continue;
    found.push({ execution, step });
  }
  if (isByTime.value) return found;
  // What waits or went wrong comes first, the newest of each kind before the others.
  return found.sort((left, right) => KINDS.indexOf(left.step.kind) - KINDS.indexOf(right.step.kind));
});

/** LIMIT: tool names offered in the filter; an agent may have made up any number of them. */
const TOOLS_MAX = 50;

export const tools = computed<readonly string[]>(() => {
  version.value;
  const names = new Set<string>();
  for (const { tool } of held.value.executions) {
    names.add(tool);
    if (names.size >= TOOLS_MAX) break;
  }
  return [...names].sort();
});
