/** A reply as a person reads it: what was decided, by which rule, what happened, and where it is recorded. */
import { ERRORS, EXIT, printable, type Reply } from "@femtoclaw/protocol";
import type { Output } from "./output.ts";
import { prose } from "./prose.ts";
import { withoutTabs } from "./tab-stops.ts";
import { hangingTable, table } from "./table.ts";

/** LIMIT: characters of one line of a result on a terminal; `--json` has all of it. */
const LINE_CHARS_MAX = 4_096;
/** A text of more characters than this gets lines of its own. */
const SHORT_CHARS = 72;

/** The code that tells most: the decision or, if none was taken, the kind of error. */
export function headline(reply: Reply): string {
  if (reply.status === "interrupted") {
    return reply.resolution === undefined ? "INTERRUPTED" : `INTERRUPTED, ${reply.resolution.resolution}`;
  }
  if (reply.approval !== undefined) return "APPROVAL_REQUIRED";
  if (reply.decision !== null) return reply.decision;
  return reply.status === "completed" ? "RECORDED" : (reply.error?.error_type ?? reply.status);
}

/** In a colour that shows how the call ended, because an authorized call may still have failed. */
export function styled(reply: Reply, text: string, output: Output): string {
  switch (reply.status) {
    case "completed":
      return output.style("green", text);
    case "denied":
      return output.style("yellow", text);
    case "pending":
      return output.style("cyan", text);
    case "error":
    case "interrupted":
      return output.style("red", text);
  }
}

/** The whole reply in a few lines. */
export function replyLines(reply: Reply, output: Output): string[] {
  const rules = (reply.policy?.rules ?? []).map((rule) => printable(rule));
  const place = reply.record === null ? "not recorded" : `record ${reply.record.seq}`;
  const flow = (text: string): string => prose(text, output.dataColumns);
  const head = flow([styled(reply, headline(reply), output), ...rules, output.style("dim", place)].join("  "));
  if (reply.approval !== undefined) return [head, ...pendingLines(reply, reply.approval, output).map(flow)];
  if (reply.error === undefined) return [head, ...resultLines(reply.result ?? {}, output.dataColumns)];
  const { code, reason, fix } = reply.error;
  return [
    head,
    flow(`${styled(reply, code, output)}: ${printable(reason, 2_000)}`),
    flow(output.style("dim", `fix: ${printable(fix, 2_000)}`)),
  ];
}

function pendingLines(
  { execution_id, record }: Reply,
  { id, expires_at }: NonNullable<Reply["approval"]>,
  output: Output,
): string[] {
  return [
    `an operator is asked until ${expires_at}: \`femtoclaw approvals show ${id}\``,
    output.style("dim", `then: \`femtoclaw executions show ${record?.seq ?? execution_id}\``),
  ];
}

/** Short values share one line. Long texts and lists follow, each under its name. Empty values are left out. */
function resultLines(result: Readonly<Record<string, unknown>>, columns: number | null): string[] {
  const room = columns === null ? null : columns - 2;
  const shown = Object.entries(result).filter(([, value]) => value !== null && value !== "");
  const short = shown.filter(([, value]) => blockOf(value, room) === null);
  const line = short
    .map(([name, value]) => `${printable(name)} ${printable(plain(value), LINE_CHARS_MAX)}`)
    .join(" · ");
  const blocks = shown.flatMap(([name, value]) => {
    const block = blockOf(value, room);
    return block === null ? [] : [`${printable(name)}:`, ...block.map((text) => `  ${text}`)];
  });
  return [...(line === "" ? [] : [prose(line, columns)]), ...blocks];
}

/** The lines of a long text, of an object or of a list of objects; null for a value that fits into one line with others. */
function blockOf(value: unknown, columns: number | null): string[] | null {
  if (typeof value === "string" && (value.includes("\n") || value.length > SHORT_CHARS)) return textLines(value);
  if (Array.isArray(value) && value.length === 0) return ["none"];
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return hangingTable(
      Object.entries(value).map(([name, inner]) => [printable(name), printable(plain(inner), LINE_CHARS_MAX)] as const),
      "",
      columns,
    );
  }
  if (!Array.isArray(value) || !value.every((item) => typeof item === "object" && item !== null)) return null;
  const items = value.map((item: object) => Object.entries(item).map(cellOf));
  // If an item holds a text of several lines, each item is shown on its own: its short values, and the text below.
  if (items.some((cells) => cells.some(isLong))) return items.flatMap(itemLines);
  return table(items.map((cells) => cells.map((cell) => printable(cell.trimEnd(), LINE_CHARS_MAX))));
}

/** A tab belongs to a text, such as a line that was found. In a path it is suspicious, so it stays visible there. */
function cellOf([name, value]: [string, unknown]): string {
  const cell = plain(value);
  return name === "path" || isLong(cell) ? cell : withoutTabs(cell);
}

const isLong = (cell: string): boolean => cell.trimEnd().includes("\n");

function itemLines(cells: readonly string[]): string[] {
  const head = cells.filter((cell) => !isLong(cell)).map((cell) => printable(cell, LINE_CHARS_MAX));
  const texts = cells.filter(isLong).flatMap((cell) => textLines(cell).map((line) => `  ${line}`));
  return [head.join("  "), ...texts];
}

function textLines(text: string): string[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => printable(withoutTabs(line), LINE_CHARS_MAX));
}

/** Capabilities of others give values that have no text of their own. */
const plain = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""));

/**
 * What became of the call, on one line. It is made printable, because capabilities of others may name their results as
 * they like.
 */
export function happened(reply: Reply): string {
  return printable(ending(reply), 200);
}

function ending(reply: Reply): string {
  if (reply.error !== undefined) return printable(reply.error.reason, 160);
  if (reply.approval !== undefined) return `question ${reply.approval.id} waits for an operator`;
  const result = reply.result ?? {};
  if ("exit_code" in result) {
    const text = plain(result["stdout"] || result["stderr"]);
    return `exit code ${plain(result["exit_code"])} in ${plain(result["sandbox"])}: ${beginning(text)}`;
  }
  if (Array.isArray(result["content"]))
    return `${result["is_error"] === true ? "answered with an error" : "answered"}: ${said(result["content"])}`;
  if ("content" in result) return `read ${plain(result["bytes"])} bytes: ${beginning(plain(result["content"]))}`;
  const names = Object.keys(result);
  if (names.length === 2 && "bytes" in result && "sha256" in result)
    return `wrote ${plain(result["bytes"])} bytes, sha256 ${plain(result["sha256"]).slice(0, 16)}…`;
  return names.length === 0 ? "recorded" : printable(JSON.stringify(result), 110);
}

/** The beginning of what an MCP server answered, whatever the answer consists of. */
function said(content: readonly unknown[]): string {
  const texts = content.map((part) => {
    const { type, text } = typeof part === "object" && part !== null ? (part as Record<string, unknown>) : {};
    return typeof text === "string" ? text : `(${plain(type ?? "nothing")})`;
  });
  return beginning(texts.join(" "));
}

/** The beginning of a text of any number of lines, on one line. */
function beginning(text: string): string {
  return printable(text.trim().replaceAll(/[ \t\r\n]+/g, " "), 110);
}

/** The exit code, from which a script learns how the call ended. */
export function exitOf(reply: Reply): number {
  if (reply.status === "completed") return EXIT.ok;
  if (reply.status === "pending") return EXIT.pending;
  const code = reply.error?.code;
  const known = Object.entries(ERRORS).find(([name]) => name === code)?.[1];
  return known?.exit ?? EXIT.internal;
}
