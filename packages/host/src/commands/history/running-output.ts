/** Shows what several programs write at once, for `executions list --output`. Their number is bounded. */
import type { OperatorClient } from "@femtoclaw/client";
import { FemtoError, outputParts } from "@femtoclaw/protocol";
import { LiveText } from "../../terminal/live-text.ts";
import type { Output } from "../../terminal/output.ts";

/** LIMIT: executions that are followed at once. Each costs one request to the host at every look. */
const LOOKED_AT = 16;
/** The first characters of an identifier are enough to tell executions apart on a screen. */
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

  /** If enough executions are followed already, only the outcome of this one is shown. */
  add(id: string): void {
    if (this.#running.size < LOOKED_AT) this.#running.set(id, { text: new LiveText(), from: 0 });
  }

  /** Passes on what has been written since the last look, line by line. */
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
