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
  const ahead = old.slice(Math.max(0, head - CONTEXT_LINES), head).map((line) => `  ${shown(line)}`);
  const removed = old.slice(head, old.length - tail).map((line) => `- ${shown(line)}`);
  const behind = [
    ...next.slice(head, next.length - tail).map((line) => `+ ${shown(line)}`),
    ...old.slice(old.length - tail, old.length - tail + CONTEXT_LINES).map((line) => `  ${shown(line)}`),
  ];
  // INVARIANT: I8: the proposer of a change chooses how much it removes. However much that is, it must not hide what the
  // change adds.
  const most = Math.max(LINES_SHOWN / 2, LINES_SHOWN - ahead.length - behind.length - 1);
  const rest = removed.length - most;
  const isCut = rest > 0 && ahead.length + removed.length + behind.length > LINES_SHOWN;
  const gone = isCut ? [...removed.slice(0, most), `… and ${rest} more removed lines, which ${all} shows`] : removed;
  const lines = [...ahead, ...gone, ...behind];
  if (lines.length <= LINES_SHOWN) return lines;
  return [...lines.slice(0, LINES_SHOWN), `… and ${lines.length - LINES_SHOWN} lines more, which ${all} shows`];
}

/** Trailing blanks are made visible too, because a change may consist of nothing else. */
function shown(line: string): string {
  const text = countedText(line, LINE_CHARS);
  const end = text.trimEnd().length;
  return `${text.slice(0, end)}${"\\u{20}".repeat(text.length - end)}`;
}
