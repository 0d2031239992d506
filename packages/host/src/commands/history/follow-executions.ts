/**
 * `executions list --follow`: shows each execution when it ends or waits for an operator, and names those that run for
 * longer than a moment.
 */

import { setTimeout as sleep } from "node:timers/promises";
import type { OperatorClient } from "@femtoclaw/client";
import { EXIT, type ExecutionView, printable, type TypedRecord } from "@femtoclaw/protocol";
import { hostStatus } from "../../process/host-status.ts";
import { LiveLine } from "../../terminal/live-line.ts";
import type { Output } from "../../terminal/output.ts";
import { headline, styled } from "../../terminal/reply-text.ts";
import { shortened } from "../../terminal/table.ts";
import type { CommandContext } from "../command-context.ts";
import { HOST_ENDED, isHostEnding } from "../host/ending-host.ts";
import { RunningOutput } from "./running-output.ts";

/** Pause between two looks while something runs, because the display shows for how long. */
const LOOK_MS = 200;
/** Time after which the host answers that nothing is new, while nothing runs. */
const WAIT_MS = 10_000;
/** Executions that take longer than this are shown while they run. */
const LONG_MS = 1_000;
/** LIMIT: running calls that are named; the others are only counted. */
const NAMED_MAX = 3;
/** How many earlier executions are shown at the beginning. */
const SHOWN_BEFORE = 10;

export interface FollowOptions {
  readonly state?: string;
  readonly session?: string;
  /** Show what programs write while they run. */
  readonly output?: boolean;
}

/** Types of records that bring something new to show about their execution. */
const SHOWN: ReadonlySet<TypedRecord["type"]> = new Set([
  ...(["message.recorded", "execution.refused", "approval.asked", "execution.outcome"] as const),
  ...(["execution.interrupted", "execution.resolved"] as const),
]);

/** Runs until it is interrupted or the host ends. A slow reader falls behind; the host does not wait for it. */
export async function followExecutions(context: CommandContext, options: FollowOptions): Promise<number> {
  await using operator = await context.operator();
  try {
    return await follow(context, operator, options);
  } catch (error) {
    // The end of the host is a normal end of this command, whatever it was being asked.
    if (!isHostEnding(error)) throw error;
    context.output.talk(HOST_ENDED);
    return EXIT.ok;
  }
}

/** Ends only with an error. */
async function follow(context: CommandContext, operator: OperatorClient, options: FollowOptions): Promise<never> {
  const { output } = context;
  let { records: next } = await hostStatus(operator);
  const wanted = (view: ExecutionView): boolean =>
    (options.state === undefined || view.status === options.state) &&
    (options.session === undefined || view.session === options.session);
  const before = await operator.executions({
    limit: SHOWN_BEFORE,
    ...(options.state === undefined ? {} : { status: options.state }),
    ...(options.session === undefined ? {} : { session: options.session }),
  });
  using line = new LiveLine(context.options);
  const rows = new Rows(output);
  // An execution that was recorded between the two requests is also among the new ones, and must be shown only once.
  for (const view of before.toReversed()) if ((view.record?.seq ?? 0) < next) rows.say(view);
  const going = new Going();
  const running = options.output === true ? new RunningOutput(operator, output) : null;
  for (const view of before) if (view.status === "pending" && wanted(view)) running?.add(view.execution_id);
  if (!line.isSeen) output.talk("following; Ctrl-C ends");
  for (;;) {
    await running?.look((text) => line.above(() => output.line(text)));
    const isIdle = going.isIdle && running?.isIdle !== false;
    const { records } = await operator.records(next, isIdle ? WAIT_MS : 0);
    for (const record of records) {
      going.take(record);
      next = record.seq + 1;
      const isWanted = options.session === undefined || record.session === options.session;
      if (record.type === "execution.intent" && isWanted) running?.add(record.execution ?? "");
      // What the program wrote is shown above its outcome.
      if (record.type === "execution.outcome") await running?.look((text) => line.above(() => output.line(text)));
      if (!SHOWN.has(record.type) || record.execution === null) continue;
      const view = await viewAt(operator, record);
      if (view !== null && wanted(view)) line.above(() => rows.say(view));
    }
    line.set(going.text(output) ?? output.style("dim", "following; Ctrl-C ends"));
    if (records.length === 0 && !isIdle) await Promise.race([sleep(LOOK_MS), operator.closed]);
  }
}

/**
 * The execution of this record. Null if the record is a question and the execution has gone on since: it is shown when
 * its later record comes.
 */
async function viewAt(operator: OperatorClient, { execution, seq, type }: TypedRecord): Promise<ExecutionView | null> {
  const { records: _, ...shown } = await operator.execution(execution ?? "");
  if (type === "approval.asked" && shown.record?.seq !== seq) return null;
  return shown;
}

type ColumnName = "record" | "time UTC" | "tool" | "call" | "status" | "decision" | "took";

interface Layout {
  readonly columns: readonly (readonly [name: ColumnName, width: number])[];
  readonly gap: string;
}

const WIDE: Layout = {
  columns: [
    ["record", 7],
    ["time UTC", 8],
    ["tool", 16],
    ["call", 36],
    ["status", 11],
    ["decision", 27],
    ["took", 11],
  ],
  gap: "  ",
};
/** 80 columns: the status says most of the decision. */
const NARROW: Layout = {
  columns: [
    ["record", 7],
    ["time UTC", 8],
    ["tool", 14],
    ["call", 36],
    ["status", 11],
  ],
  gap: " ",
};
const NUMBERS: ReadonlySet<ColumnName> = new Set(["record", "took"]);

/** Prints rows in columns of a fixed width, because it is not known what later rows will hold. */
class Rows {
  readonly #output: Output;
  readonly #layout: Layout;
  #hasHeader = false;

  constructor(output: Output) {
    this.#output = output;
    const { columns, gap } = WIDE;
    const wide = columns.reduce((sum, [, width]) => sum + width, gap.length * (columns.length - 1));
    this.#layout = (output.dataColumns ?? wide) < wide ? NARROW : WIDE;
  }

  say(view: ExecutionView): void {
    const output = this.#output;
    if (output.json) return output.value(view);
    if (!this.#hasHeader) {
      const header = this.#row((name) => name);
      output.line(output.style("dim", header));
    }
    this.#hasHeader = true;
    const texts: Readonly<Record<ColumnName, string>> = {
      record: String(view.record?.seq ?? ""),
      "time UTC": view.requested_at.slice(11, 19),
      tool: printable(view.tool ?? "message", 40),
      call: printable(view.subject ?? "", 40),
      status: view.status,
      decision: headline(view),
      took: view.duration_ms === null ? "" : `${view.duration_ms.toFixed(1)} ms`,
    };
    const style = (name: ColumnName, text: string): string => (name === "status" ? styled(view, text, output) : text);
    output.line(this.#row((name) => texts[name], style));
    const more = moreOf(view);
    if (more !== null) output.line(`${INDENT}${styled(view, printable(more, MORE_CHARS - INDENT.length), output)}`);
  }

  #row(textOf: (name: ColumnName) => string, style = (_name: ColumnName, text: string): string => text): string {
    const { columns, gap } = this.#layout;
    const cells = columns.map(([name, width]) => {
      const text = shortened(textOf(name), width);
      return style(name, NUMBERS.has(name) ? text.padStart(width) : text.padEnd(width));
    });
    return cells.join(gap);
  }
}

/** What a person would look up next: why it did not succeed, or what is asked. */
function moreOf({ status, error, approval }: ExecutionView): string | null {
  if (error !== undefined) return `${error.code}: ${error.reason}`;
  if (status !== "pending" || approval === undefined) return null;
  return `an operator is asked until ${approval.expires_at.slice(0, 19).replace("T", " ")}: femtoclaw approvals show ${approval.id}`;
}

const INDENT = " ".repeat(9);
/** LIMIT: characters of the text below a row: one line of the terminal. */
const MORE_CHARS = Math.max(80, process.stdout.columns ?? 0) - 1;

/** The executions that have begun since this command started and still run, and those that wait for an operator. */
class Going {
  readonly #running = new Map<string, { readonly tool: string; readonly sinceMs: number }>();
  readonly #waiting = new Set<string>();

  take({ type, execution, body }: TypedRecord): void {
    if (execution === null) return;
    switch (type) {
      case "approval.asked":
        this.#waiting.add(execution);
        break;
      case "execution.intent":
        this.#waiting.delete(execution);
        this.#running.set(execution, { tool: body.tool, sinceMs: performance.now() });
        break;
      case "execution.refused":
      case "execution.outcome":
      case "execution.interrupted":
        this.#waiting.delete(execution);
        this.#running.delete(execution);
        break;
      default:
    }
  }

  get isIdle(): boolean {
    return this.#running.size === 0;
  }

  /** Undefined while nothing takes long and no operator is asked. */
  text(output: Output): string | undefined {
    const nowMs = performance.now();
    const long = [...this.#running.values()].filter(({ sinceMs }) => nowMs - sinceMs >= LONG_MS);
    const named = long
      .slice(0, NAMED_MAX)
      .map(({ tool, sinceMs }) => `${printable(tool, 30)} ${Math.floor((nowMs - sinceMs) / 1_000)} s`);
    const more = this.#running.size - named.length;
    const running = [...named, ...(more > 0 && named.length > 0 ? [`${more} more`] : [])].join(", ");
    const parts = [
      ...(running === "" ? [] : [`running: ${running}`]),
      ...(this.#waiting.size === 0 ? [] : [output.style("cyan", `${this.#waiting.size} for operators to answer`)]),
    ];
    return parts.length === 0 ? undefined : parts.join(" · ");
  }
}
