/**
 * `approvals watch`: shows each question as it is asked, and what became of it. On a terminal, it also takes answers,
 * typed as words on a line. An answer applies to what was shown here, by its digest.
 */
import { createInterface, type Interface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { OperatorClient } from "@femtoclaw/client";
import { type ApprovalCard, EXIT, errorText, FemtoError, printable, visibleJson } from "@femtoclaw/protocol";
import { cardLines } from "../../terminal/approval-text.ts";
import type { Output } from "../../terminal/output.ts";
import { headline, styled } from "../../terminal/reply-text.ts";
import type { CommandContext } from "../command-context.ts";
import { HOST_ENDED, isHostEnding } from "../host/ending-host.ts";

/** Time after which the host answers that nothing is new. The time that is left is then shown anew. */
const WAIT_MS = 10_000;
/** Pause after something was new, so that many questions at once take only a few looks. */
const PAUSE_MS = 500;
const MINUTE_MS = 60_000;
/** LIMIT: characters of a line about a question. */
const LINE_CHARS = 1_000;

export async function watchApprovals(context: CommandContext): Promise<number> {
  const { output } = context;
  await using operator = await context.operator();
  const watch = new Watch(operator, output);
  const isAnswered = process.stdin.isTTY && process.stdout.isTTY && !output.json;
  using desk = isAnswered ? new Desk(output, (line) => watch.obey(line)) : null;
  if (desk === null) output.talk("waiting for questions; Ctrl-C ends");
  const over = Promise.race([operator.closed, ...(desk === null ? [] : [desk.left])]).then(() => null);
  for (;;) {
    const said = await Promise.race([lookWhileOpen(watch), over]);
    if (said === null) {
      if (desk?.isLeft !== true) output.talk(HOST_ENDED);
      return EXIT.ok;
    }
    if (desk === null) for (const line of said) output.line(line);
    else desk.show(said, watch.prompt());
    if (said.length > 0) await Promise.race([sleep(PAUSE_MS), over]);
  }
}

/** Null once the host is gone, which is a normal end of this command. */
async function lookWhileOpen(watch: Watch): Promise<string[] | null> {
  try {
    return await watch.look();
  } catch (error) {
    if (!isHostEnding(error)) throw error;
    return null;
  }
}

/** The open questions, as they have been shown. */
class Watch {
  readonly #operator: OperatorClient;
  readonly #output: Output;
  readonly #open = new Map<string, ApprovalCard>();
  #next = 0;

  constructor(operator: OperatorClient, output: Output) {
    this.#operator = operator;
    this.#output = output;
  }

  /** Waits for something new since the last look, and returns lines about it. */
  async look(): Promise<string[]> {
    const { next, open } = await this.#operator.watchApprovals(this.#next, WAIT_MS);
    this.#next = next;
    if (open === null) return [];
    const said: string[] = [];
    for (const { id, granted } of open) said.push(...(await this.#seen(id, granted)));
    const ids = new Set(open.map(({ id }) => id));
    for (const { id, execution_id } of [...this.#open.values()]) {
      if (ids.has(id)) continue;
      this.#open.delete(id);
      if (!this.#output.json) said.push(await this.#settled(id, execution_id));
    }
    return said;
  }

  /** Lines about an open question, if the question or a yes to it is new. */
  async #seen(id: string, granted: number): Promise<string[]> {
    const output = this.#output;
    const before = this.#open.get(id);
    if (before?.granted.length === granted) return [];
    const approval = await this.#shown(id);
    if (approval === null) return [];
    this.#open.set(id, approval);
    if (before !== undefined) return output.json ? [] : [grantedText(approval)];
    return output.json ? [visibleJson(approval)] : [...cardLines(approval, output), ""];
  }

  /** Null if the question was settled a moment ago. */
  async #shown(id: string): Promise<ApprovalCard | null> {
    try {
      return await this.#operator.approval(id);
    } catch (error) {
      if (error instanceof FemtoError && error.code === "FEMTO_APPROVAL_NOT_FOUND") return null;
      throw error;
    }
  }

  prompt(): string {
    const waiting = [...this.#open.values()];
    if (waiting.length === 0) return this.#output.style("dim", "nothing is asked · Ctrl-C ends > ");
    const nextMs = Math.min(...waiting.map(({ expires_at }) => Date.parse(expires_at))) - Date.now();
    const minutes = Math.max(0, Math.ceil(nextMs / MINUTE_MS));
    const ids = waiting.map(({ id }) => id).join(", ");
    return `${this.#output.style("cyan", ids)} · ${minutes} min left · allow ID | deny ID [reason] | show ID > `;
  }

  /** Does what a typed line says, and returns lines to show. */
  async obey(line: string): Promise<string[]> {
    const [, verb = "", id = "", reason = ""] = /^\s*(\S+)\s*(\S*)\s*(.*?)\s*$/.exec(line) ?? [];
    if (verb === "") return [];
    const approval = this.#open.get(id);
    if (!["allow", "deny", "show"].includes(verb)) return [`no such word: ${printable(verb, 40)}`];
    if (approval === undefined) return [`no open question ${printable(id, 40)} was shown here`];
    if (verb === "show") return [...cardLines(approval, this.#output), ""];
    const answer = verb === "allow" ? ("granted" as const) : ("refused" as const);
    try {
      // INVARIANT: I8: the answer carries the digest of what was shown, so it does not count if the question asks for
      // something else by now.
      const { seq } = await this.#operator.answerApproval({
        ...{ approval: id, digest: approval.digest, answer, scope: "once" as const },
        ...(reason === "" ? {} : { reason }),
      });
      return [`question ${id}: ${answer} in record ${seq}`];
    } catch (error) {
      const fix = error instanceof FemtoError ? `; ${error.fix}` : "";
      return [this.#output.style("red", printable(`question ${id}: ${errorText(error)}${fix}`, LINE_CHARS))];
    }
  }

  async #settled(id: string, execution: string): Promise<string> {
    const view = await this.#operator.execution(execution);
    const why = view.error === undefined ? "" : `: ${view.error.reason}`;
    const what = view.status === "pending" ? "allowed, and runs" : `${view.status}, ${headline(view)}${why}`;
    return `question ${id} is settled: ${styled(view, printable(what, LINE_CHARS), this.#output)}`;
  }
}

function grantedText({ id, granted, approvers }: ApprovalCard): string {
  return `question ${id}: ${granted.length} of ${approvers} operators have said yes`;
}

/** An input line below the messages. What is being typed is kept when a message appears. */
class Desk implements Disposable {
  readonly left: Promise<void>;
  isLeft = false;
  readonly #lines: Interface;
  readonly #output: Output;
  #prompt = "";

  constructor(output: Output, obey: (line: string) => Promise<string[]>) {
    this.#output = output;
    this.#lines = createInterface({ input: process.stdin, output: process.stdout, historySize: 0 });
    this.#lines.on("line", (line) => {
      void obey(line).then((said) => this.show(said, this.#prompt, { always: true }));
    });
    this.left = new Promise((resolve) => {
      this.#lines.once("close", () => {
        this.isLeft = true;
        resolve();
      });
    });
  }

  show(said: readonly string[], prompt: string, { always }: { readonly always: boolean } = { always: false }): void {
    if (this.isLeft || (said.length === 0 && prompt === this.#prompt && !always)) return;
    this.#prompt = prompt;
    // The input line is cleared, and drawn again below the messages with what was typed so far.
    process.stdout.write("\r\u001b[J");
    for (const line of said) this.#output.line(line);
    this.#lines.setPrompt(prompt);
    this.#lines.prompt(true);
  }

  [Symbol.dispose](): void {
    if (!this.isLeft) this.#lines.close();
    process.stdout.write("\n");
  }
}
