/** Writes the records of a terminal as an asciicast of version 3, which asciinema and other players can play. Pure. */
import { type TerminalRecord, visibleJson } from "@femtoclaw/protocol";

/** The terminal type that programs on our terminals see. */
const TERM = "xterm-256color";

const CODES = { output: "o", input: "i", size: "r" } as const;

/** Turns records, given in order, into lines: the header, then one event per line. */
export class Asciicast {
  #lastUs = 0;
  #begun = false;

  /** Lines without line breaks, in which no character is obeyed by a terminal that they are written to. */
  linesOf(record: TerminalRecord): string[] {
    switch (record.type) {
      case "terminal.opened":
        this.#begun = true;
        this.#lastUs = record.mono_us;
        return [header(record)];
      case "terminal.recorded":
        return [...this.#missingHeader(record), ...this.#eventsOf(record)];
      case "terminal.closed":
        return [...this.#missingHeader(record), this.#event(record.mono_us, "x", String(record.body.exit_code ?? 255))];
    }
  }

  /** The opening record may have been pruned, but a player needs a header all the same. */
  #missingHeader(record: TerminalRecord): string[] {
    if (this.#begun) return [];
    this.#begun = true;
    this.#lastUs = record.mono_us;
    return [visibleJson({ version: 3, term: { cols: 80, rows: 24, type: TERM } }), "# what came before was pruned"];
  }

  #eventsOf({ body }: TerminalRecord & { readonly type: "terminal.recorded" }): string[] {
    const { at_us, text, marks } = body;
    if (text === null) return ["# what was shown here was erased"];
    let from = 0;
    return marks.map(({ kind, after_us, chars }) => {
      const part = text.slice(from, from + chars);
      from += chars;
      return this.#event(at_us + after_us, CODES[kind], part);
    });
  }

  /** Times are intervals since the previous event. An event that was recorded late is not moved before it. */
  #event(atUs: number, code: string, data: string): string {
    const interval = Math.max(0, atUs - this.#lastUs) / 1_000_000;
    this.#lastUs = Math.max(atUs, this.#lastUs);
    return visibleJson([interval, code, data]);
  }
}

function header({ at, body }: TerminalRecord & { readonly type: "terminal.opened" }): string {
  const { cols, rows, program } = body;
  const timestamp = Math.floor(Date.parse(at) / 1_000);
  return visibleJson({ version: 3, term: { cols, rows, type: TERM }, timestamp, command: program });
}
