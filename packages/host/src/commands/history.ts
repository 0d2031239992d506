/** `executions` and `replay`: what happened, as the journal has it. */
import { EXIT, printable } from "@femtoclaw/protocol";
import { type ExecutionView, type Projection, replay } from "@femtoclaw/runtime";
import { readJournal } from "../read-journal.ts";
import { factLines } from "../terminal/fact-text.ts";
import { headline, replyLines, styled } from "../terminal/reply-text.ts";
import { table } from "../terminal/table.ts";
import type { CommandContext } from "./command-context.ts";
import { executionsOf, type HistorySource } from "./history-source.ts";
import { hostAnswers } from "./host.ts";

export interface ListOptions {
  readonly all?: boolean;
  readonly state?: string;
  readonly session?: string;
}

const LIST_HEADER = ["record", "requested (UTC)", "tool", "status", "decision", "took", "execution"];
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
    output.talk("no executions yet");
    return EXIT.ok;
  }
  const rows = views.map((view) => [
    String(view.record?.seq ?? ""),
    view.requested_at.slice(0, 19).replace("T", " "),
    printable(view.tool ?? "message", 40),
    `${styled(view, view.status, output)}${view.erased === undefined ? "" : " (erased)"}`,
    headline(view),
    view.duration_ms === null ? "" : `${view.duration_ms.toFixed(1)} ms`,
    output.style("dim", view.execution_id),
  ]);
  for (const line of table([LIST_HEADER.map((name) => output.style("dim", name)), ...rows])) output.line(line);
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
  for (const { seq, at, type, body } of records) {
    output.line("");
    output.line(`${output.style("bold", `record ${seq}`)}  ${type}  ${output.style("dim", at)}`);
    // What came of it stands above already, as its receiver got it.
    const { result, error, ...facts } = body as { result?: unknown; error?: unknown };
    for (const line of factLines(facts)) output.line(line);
  }
  return EXIT.ok;
}

function headerLines(view: ExecutionView): string[] {
  return table([
    ["execution", view.execution_id],
    ["tool", printable(view.tool ?? "message", 128)],
    ["requested", view.requested_at],
    ...(view.label === null ? [] : [["label", printable(view.label)]]),
    ...(view.duration_ms === null ? [] : [["took", `${view.duration_ms} ms`]]),
  ]);
}

/** Folds history up to a record; with a running host it is the host that reads, because it holds the journal. */
export async function replayHistory(context: CommandContext, options: { readonly to?: number }): Promise<number> {
  const { output } = context;
  const query = options.to === undefined ? {} : { to: options.to };
  const result = (await hostAnswers(context)) ? await remoteReplay(context, query) : await localReplay(context, query);
  if (output.json) {
    output.value(result);
    return EXIT.ok;
  }
  const actors = result.actors as ReturnType<Projection["snapshot"]>;
  if (result.from > 0) output.line(`begun at the snapshot after record ${result.from - 1}; history before was pruned`);
  output.line(
    `${result.records - result.from} records folded, ${result.snapshots_equal} stored snapshots equal the fold`,
  );
  for (const [name, { version, state }] of Object.entries(actors)) {
    const { value, context, ...own } = state as { value?: unknown; context?: object };
    output.line("");
    output.line(`${output.style("bold", name)}  ${output.style("dim", `machine version ${version}`)}`);
    for (const line of [...factLines(value), ...factLines({ ...context, ...own })]) output.line(line);
  }
  return EXIT.ok;
}

interface ReplayResult {
  readonly records: number;
  readonly from: number;
  readonly snapshots_equal: number;
  readonly actors: unknown;
}

async function remoteReplay(context: CommandContext, query: { readonly to?: number }): Promise<ReplayResult> {
  await using operator = await context.operator();
  return (await operator.replay(query)) as ReplayResult;
}

async function localReplay(context: CommandContext, query: { readonly to?: number }): Promise<ReplayResult> {
  await using journal = await readJournal(context.load().resolved.stateDirectory);
  const { projection, from, snapshotsEqual } = await replay(journal.reader, query);
  return { records: projection.size, from, snapshots_equal: snapshotsEqual, actors: projection.snapshot() };
}
