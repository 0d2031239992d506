/** A change of a text in readable form: removed lines, added lines, and some unchanged ones around them. */
import { countedText } from "@femtoclaw/protocol";

/** LIMIT: lines of one change; a command with `--json` shows all of it. */
const LINES_SHOWN = 200;
/** LIMIT: characters of one line. */
const LINE_CHARS = 2_000;
/** Unchanged lines shown before and after. */
const CONTEXT_LINES = 3;

/**
 * Each line begins with a minus, a plus or a blank, so that none can pass for another kind. `all` is what shows more
 * lines than these.
 */
export function changeLines(before: string, after: string, all = "--json"): string[] {
  const [old, next] = [before.split("\n"), after.split("\n")];
  const shorter = Math.min(old.length, next.length);
  let head = 0;
  while (head < shorter && old[head] === next[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && old[old.length - 1 - tail] === next[next.length - 1 - tail]) tail += 1;
  const lines = [
    ...old.slice(Math.max(0, head - CONTEXT_LINES), head).map((line) => `  ${shown(line)}`),
    ...old.slice(head, old.length - tail).map((line) => `- ${shown(line)}`),
    ...next.slice(head, next.length - tail).map((line) => `+ ${shown(line)}`),
    ...old.slice(old.length - tail, old.length - tail + CONTEXT_LINES).map((line) => `  ${shown(line)}`),
  ];
  if (lines.length <= LINES_SHOWN) return lines;
  return [...lines.slice(0, LINES_SHOWN), `… and ${lines.length - LINES_SHOWN} lines more, which ${all} shows`];
}

/** Trailing blanks are made visible too, because a change may consist of nothing else. */
function shown(line: string): string {
  const text = countedText(line, LINE_CHARS);
  const end = text.trimEnd().length;
  return `${text.slice(0, end)}${"\\u{20}".repeat(text.length - end)}`;
}
