/** A turn as a person follows it: the model's text on stdout, and what happens to its calls on stderr. */
import { type CallAnswer, type ProposedCall, type TurnEnd, type TurnEvent, UNANSWERED } from "@femtoclaw/agent";
import { printable, type Reply } from "@femtoclaw/protocol";
import type { Output } from "../terminal/output.ts";
import { happened, headline, styled } from "../terminal/reply-text.ts";
import { FlowingText, type FlowingTextOptions, flowingLines } from "./flowing-text.ts";
import { StatusLine } from "./status-line.ts";

/** Marks text of the model, and nothing else. */
const SAID = "│ ";

/** LIMIT: characters of arguments on the screen; `approvals show` and `executions show` show all of them. */
const ARGUMENT_CHARS = 300;

/** LIMIT: characters about the outcome of a call. */
const DETAIL_CHARS = 500;

/** Columns for output to a file, whose lines get marks but are not wrapped. */
const NO_SCREEN = 100_000;

export interface Transcript {
  onEvent(event: TurnEvent): void;
  ended(end: TurnEnd, ms: number): void;
}

/** One JSON value per event, for programs. */
export function jsonTranscript(output: Output): Transcript {
  return {
    onEvent: ({ type, ...event }) => output.value({ event: type, ...event }),
    ended: (end) => output.value({ event: "end", ...end }),
  };
}

export class ScreenTranscript implements Transcript {
  readonly #output: Output;
  readonly #said: FlowingText;
  readonly #status: StatusLine;

  constructor(output: Output) {
    const { stdout, stderr } = process;
    this.#output = output;
    this.#status = new StatusLine(stderr.isTTY && stdout.isTTY ? (text) => void stderr.write(text) : null);
    this.#said = new FlowingText({
      columns: () => (stdout.isTTY ? stdout.columns : null),
      mark: SAID,
      style: (mark) => output.style("dim", mark),
      write: (text) => void stdout.write(text),
    });
  }

  onEvent(event: TurnEvent): void {
    this.#status.clear();
    switch (event.type) {
      case "asking":
        this.#status.show("the model is asked,");
        return;
      case "text":
        this.#said.push(event.text);
        return;
      case "call":
        this.#said.end();
        this.#call(event.call);
        return;
      case "asked":
        this.#asked(event.reply);
        return;
      case "answer":
        this.#answer(event.answer);
        return;
    }
  }

  ended({ stop, used }: TurnEnd, ms: number): void {
    this.#status.clear();
    this.#said.end();
    const output = this.#output;
    if (stop.kind === "model" || stop.kind === "host") {
      const who = stop.kind === "model" ? "the model gave no usable answer" : "the host takes no more calls";
      this.#talk(`  ${output.style("red", who)}`);
      this.#detail(stop.reason);
      this.#detail(`fix: ${stop.fix}`);
    } else if (stop.kind !== "answered") {
      this.#talk(`  ${output.style("yellow", STOPPED[stop.kind])}`);
    }
    const parts = [
      `${used.calls} ${used.calls === 1 ? "call" : "calls"}`,
      `${used.tokens} tokens`,
      `${(ms / 1_000).toFixed(1)} s`,
    ];
    this.#talk(output.style("dim", `  ${parts.join(" · ")}`));
  }

  #asked(reply: Reply): void {
    const { id = "", expires_at = "" } = reply.approval ?? {};
    this.#talk(
      `    ${styled(reply, headline(reply), this.#output)}  an operator is asked until ${printable(expires_at)}`,
    );
    this.#talk(`    in another terminal: femtoclaw approvals show ${printable(id)}, then allow or deny it`);
    this.#status.show("an operator is waited for,");
  }

  #call({ tool, args }: ProposedCall): void {
    const text = `${printable(tool, 128)} ${printable(args.trim(), ARGUMENT_CHARS)}`;
    const style = (mark: string): string => this.#output.style("bold", mark);
    for (const line of this.#lines(text, { firstMark: "  → ", style })) this.#talk(line);
  }

  #answer(answer: CallAnswer): void {
    const output = this.#output;
    if ("fault" in answer) {
      const { code, message } = answer.fault;
      this.#talk(`    ${output.style("red", code)}`);
      this.#detail(message);
      return;
    }
    const { reply } = answer;
    const rules = (reply.policy?.rules ?? []).map((rule) => printable(rule));
    const place = reply.record === null ? "not recorded" : `record ${reply.record.seq}`;
    this.#talk(`    ${[styled(reply, headline(reply), output), ...rules, output.style("dim", place)].join("  ")}`);
    this.#detail(answer.unanswered === true ? UNANSWERED.reason : happened(reply));
  }

  #detail(text: string): void {
    for (const line of this.#lines(printable(text, DETAIL_CHARS))) this.#talk(this.#output.style("dim", line));
  }

  /**
   * At most as wide as the screen. Otherwise the terminal would wrap a line, and its continuation would begin without a
   * mark.
   */
  #lines(text: string, dress: Pick<FlowingTextOptions, "firstMark" | "style"> = {}): string[] {
    const { stderr } = process;
    return flowingLines(text, { mark: "    ", columns: () => (stderr.isTTY ? stderr.columns : NO_SCREEN), ...dress });
  }

  #talk(line: string): void {
    this.#output.talk(line);
  }
}

const STOPPED = {
  calls: "the turn has used up its calls; say something to go on",
  tokens: "the turn has used up its tokens; say something to go on",
  time: "the turn has used up its time; say something to go on",
  cancelled: "cancelled",
  context: "the turn does not fit into the context of the model any more; begin with less",
} as const;
