/** What several programs write at once, for `executions list --output`: a bounded number of them, asked in turn. */
import type { OperatorClient } from "@femtoclaw/client";
import { FemtoError, outputParts } from "@femtoclaw/protocol";
import { LiveText } from "../terminal/live-text.ts";
import type { Output } from "../terminal/output.ts";

/** LIMIT: executions that are looked at, at a time; each is a question to the host at each look. */
const LOOKED_AT = 16;
/** The beginning of an identifier tells one from the others on a screen. */
const ID_CHARS = 8;

interface Running {
  readonly text: LiveText;
  readonly from: number;
}

export class RunningOutput {
  readonly #operator: OperatorClient;
  readonly #output: Output;
  readonly #running = new Map<string, Running>();

  constructor(operator: OperatorClient, output: Output) {
    this.#operator = operator;
    this.#output = output;
  }

  get isIdle(): boolean {
    return this.#running.size === 0;
  }

  /** Where enough are looked at already, nothing is shown of it but what comes of it. */
  add(id: string): void {
    if (this.#running.size < LOOKED_AT) this.#running.set(id, { text: new LiveText(), from: 0 });
  }

  /** Says what is there by now, line by line. */
  async look(say: (line: string) => void): Promise<void> {
    await Promise.all([...this.#running].map(([id, running]) => this.#tell(id, running, say)));
  }

  async #tell(id: string, { text, from }: Running, say: (line: string) => void): Promise<void> {
    const sayLine = (line: string): void => say(`${this.#output.style("dim", id.slice(0, ID_CHARS))}  ${line}`);
    try {
      const watched = await this.#operator.watchOutput(id, from, 0);
      for (const part of outputParts(watched)) {
        if (this.#output.json) this.#output.value({ execution_id: id, output: part });
        else text.lines(part).map(sayLine);
      }
      if (watched.state !== "ended") return void this.#running.set(id, { text, from: watched.next });
      text.end().map(sayLine);
    } catch (error) {
      if (!(error instanceof FemtoError)) throw error;
    }
    this.#running.delete(id);
  }
}
