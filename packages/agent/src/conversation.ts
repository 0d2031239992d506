/**
 * The conversation so far, as much of it as fits. Trimming is deterministic and drops whole turns, the oldest first.
 * Nothing is summarized, so that a model never acts on words that nobody wrote.
 */
import type { ModelMessage, ToolModelMessage } from "ai";

/** One answer of the model, and the results of its calls. */
export interface Step {
  readonly said: readonly ModelMessage[];
  /** Null if it called nothing. */
  readonly results: ToolModelMessage | null;
}

interface Turn {
  readonly prompt: string;
  readonly steps: Step[];
  chars: number;
}

export interface Window {
  readonly messages: readonly ModelMessage[];
  /** Turns since the beginning that were dropped. */
  readonly turnsLeftOut: number;
  readonly chars: number;
}

/** Stands in the place of a result that no longer fits. */
const LEFT_OUT = "[this result is left out, because the conversation has grown; call again if it is still needed]";

export class Conversation {
  readonly #charsMax: number;
  #turns: Turn[] = [];
  #turnsLeftOut = 0;

  /** LIMIT: `charsMax` counts the messages as JSON. What was dropped is forgotten. */
  constructor(charsMax: number) {
    this.#charsMax = charsMax;
  }

  begin(prompt: string): void {
    this.#turns.push({ prompt, steps: [], chars: prompt.length });
  }

  add(step: Step): void {
    const turn = this.#turns.at(-1);
    if (turn === undefined) throw new Error("no turn has begun");
    turn.steps.push(step);
    turn.chars += charsOf(step);
  }

  /** The messages to send to the model; null if not even the newest turn fits. */
  window(): Window | null {
    while (this.#turns.length > 1 && this.#chars() > this.#charsMax) {
      this.#turns.shift();
      this.#turnsLeftOut += 1;
    }
    const [only] = this.#turns;
    if (only !== undefined && this.#turns.length === 1) this.#shorten(only);
    const chars = this.#chars();
    if (chars > this.#charsMax) return null;
    return { messages: this.#turns.flatMap(messagesOf), turnsLeftOut: this.#turnsLeftOut, chars };
  }

  #chars(): number {
    return this.#turns.reduce((sum, { chars }) => sum + chars, 0);
  }

  /**
   * Drops results of a turn that is too long by itself, the oldest first, because the model continues from the newest.
   */
  #shorten(turn: Turn): void {
    for (let index = 0; index < turn.steps.length - 1 && turn.chars > this.#charsMax; index += 1) {
      const step = turn.steps[index];
      if (step === undefined || step.results === null) continue;
      const shorter = { ...step, results: withoutTexts(step.results) };
      turn.chars += charsOf(shorter) - charsOf(step);
      turn.steps[index] = shorter;
    }
  }
}

function messagesOf({ prompt, steps }: Turn): ModelMessage[] {
  const begin: ModelMessage = { role: "user", content: prompt };
  return [begin, ...steps.flatMap(({ said, results }) => (results === null ? [...said] : [...said, results]))];
}

function charsOf(step: Step): number {
  return JSON.stringify(step).length;
}

function withoutTexts({ role, content }: ToolModelMessage): ToolModelMessage {
  return {
    role,
    content: content.map((part) =>
      part.type === "tool-result" ? { ...part, output: { type: "text", value: LEFT_OUT } } : part,
    ),
  };
}
