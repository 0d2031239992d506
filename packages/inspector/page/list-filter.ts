/** The filters and the order of the list of executions. */
import { computed, signal } from "@preact/signals-core";
import { KINDS, type Kind } from "../src/history.ts";
import { executionsLike, held, type Row, version } from "./store.ts";

export const filterKinds = signal<readonly Kind[]>([]);
export const filterText = signal("");
export const filterTool = signal("");
export const isByTime = signal(false);

export const rows = computed<readonly Row[]>(() => {
  version.value;
  const [kinds, text, tool] = [filterKinds.value, filterText.value.toLowerCase(), filterTool.value];
  const found = executionsLike(({ kind }) => kinds.length === 0 || kinds.includes(kind)).filter(
    ({ execution }) =>
      (tool === "" || execution.tool === tool) &&
      (text === "" || `${execution.tool} ${execution.subject} ${execution.id}`.toLowerCase().includes(text)),
  );
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
