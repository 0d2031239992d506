/** `executions`: shows what happened, as the journal tells it. */
import { answerFault } from "@femtoclaw/journal/signatures";
import {
  EXIT,
  type ExecutionView,
  FemtoError,
  printable,
  type Resolution,
  type TypedRecord,
} from "@femtoclaw/protocol";
import { factLines } from "../../terminal/fact-text.ts";
import type { Output } from "../../terminal/output.ts";
import { headline, replyLines, styled } from "../../terminal/reply-text.ts";
import { fittingTable, shortened, table } from "../../terminal/table.ts";
import type { CommandContext } from "../command-context.ts";
import { executionsOf, type HistorySource } from "./history-source.ts";

export interface ListOptions {
  readonly all?: boolean;
  readonly state?: string;
  readonly session?: string;
}

const LIST_HEADER = ["record", "date", "time UTC", "tool", "call", "status", "decision", "took", "execution"];
/** On a narrow terminal: the status says most of the decision, and the record's number stands for the identifier. */
const GIVING_WAY = { leaveOut: [6, 1, 8, 7], cut: 4 };
/** LIMIT: characters of what a call is about. */
const CALL_CHARS = 48;
const LISTED = 20;
const LISTED_ALL = 10_000;

export async function listExecutions(context: CommandContext, options: ListOptions): Promise<number> {
  const { output } = context;
  await using source: HistorySource = await executionsOf(context);
  const views = await source.list({
    limit: options.all === true ? LISTED_ALL : LISTED,
    ...(options.state === undefined ? {} : { status: options.state }),
    ...(options.session === undefined ? {} : { session: options.session }),
  });
  if (output.json) {
    output.value(views);
    return EXIT.ok;
  }
  if (views.length === 0) {
    output.talk((options.state ?? options.session) ? "no execution is like that" : "no executions yet");
    return EXIT.ok;
  }
  const rows = views.map((view) => [
    String(view.record?.seq ?? ""),
    view.requested_at.slice(0, 10),
    view.requested_at.slice(11, 19),
    printable(view.tool ?? "message", 40),
    shortened(printable(view.subject ?? "", CALL_CHARS), CALL_CHARS),
    `${styled(view, view.status, output)}${view.erased === undefined ? "" : " (erased)"}`,
    headline(view),
    view.duration_ms === null ? "" : `${view.duration_ms.toFixed(1)} ms`,
    output.style("dim", view.execution_id),
  ]);
  const all = [LIST_HEADER.map((name) => output.style("dim", name)), ...rows];
  for (const line of fittingTable(all, { columns: output.dataColumns, ...GIVING_WAY })) output.line(line);
  if (options.all !== true && views.length === LISTED) output.talk(`the newest ${LISTED}; --all shows more`);
  return EXIT.ok;
}

export async function showExecution(context: CommandContext, id: string): Promise<number> {
  const { output } = context;
  await using source = await executionsOf(context);
  const { records, ...view } = await source.show(id);
  if (output.json) {
    output.value({ ...view, records });
    return EXIT.ok;
  }
  for (const line of headerLines(view)) output.line(line);
  for (const line of replyLines(view, output)) output.line(line);
  if (view.pruned_intent !== undefined) output.line(`pruned: record ${view.pruned_intent}, its intent`);
  for (const path of view.erased ?? []) output.line(`erased: ${printable(path, 256)}`);
  for (const record of records) {
    const { seq, at, type, body } = record;
    output.line("");
    output.line(`${output.style("bold", `record ${seq}`)}  ${type}  ${output.style("dim", at)}`);
    // The result or the error is shown above already, as the proposer received it.
    const { result, error, ...facts } = body as { result?: unknown; error?: unknown };
    for (const line of factLines(facts, output.dataColumns)) output.line(line);
    if (record.type === "approval.answered") output.prose(`  ${answeredText(record, output)}`);
  }
  return EXIT.ok;
}

export interface ResolveOptions {
  readonly done?: boolean;
  readonly notDone?: boolean;
  readonly reason: string;
}

/** The running host records the resolution, which only an operator may give, on the operator's socket. */
export async function resolveExecution(context: CommandContext, id: string, options: ResolveOptions): Promise<number> {
  if ((options.done === true) === (options.notDone === true)) {
    throw new FemtoError("FEMTO_USAGE", "say either --done or --not-done");
  }
  const resolution = options.done === true ? "done" : "not-done";
  await using operator = await context.operator();
  const { seq } = await operator.resolve(id, resolution, options.reason);
  if (context.output.json) context.output.value({ execution_id: id, resolution, record: { seq } });
  else context.output.prose(`resolved as ${resolution} in record ${seq}`);
  return EXIT.ok;
}

/** Who gave the answer, as far as the record alone proves it. */
function answeredText(record: TypedRecord & { readonly type: "approval.answered" }, output: Output): string {
  const by = printable(record.actor?.principal ?? "nobody", 128);
  if (record.body.key === undefined) return `answered by ${by}, without a signature`;
  const fault = answerFault(record);
  return fault === null ? `answered by ${by}; the signature holds` : output.style("red", `answered by ${by}; ${fault}`);
}

function headerLines(view: ExecutionView): string[] {
  return table([
    ["execution", view.execution_id],
    ["tool", printable(view.tool ?? "message", 128)],
    ["requested", view.requested_at],
    ...(view.label === null ? [] : [["label", printable(view.label)]]),
    ...(view.duration_ms === null ? [] : [["took", `${view.duration_ms} ms`]]),
    ...(view.resolution === undefined ? [] : [["resolved", resolutionText(view.resolution)]]),
  ]);
}

function resolutionText({ resolution, reason, by, at, seq }: Resolution): string {
  return `${resolution} by ${printable(by)} at ${at}, record ${seq}: ${printable(reason, 2_000)}`;
}
