/**
 * Untrusted text on a terminal, as it comes. Each of its lines begins with a mark and none is wider than the screen, so that
 * nothing that a model says, or a tool returns, can pass for a line of FemtoClaw.
 */
import { printable } from "@femtoclaw/protocol";

const TAB = "    ";

export interface FlowingTextOptions {
  /** Columns of the screen as they are now; null where there is none, and lines are as long as they are. */
  columns(): number | null;
  /** Stands before every line, the first one perhaps otherwise; both are equally wide. */
  readonly mark: string;
  readonly firstMark?: string;
  /** Dresses the mark. */
  style?(mark: string): string;
  write(text: string): void;
}

/** The lines of a text that is there already. */
export function flowingLines(text: string, options: Omit<FlowingTextOptions, "write">): string[] {
  let whole = "";
  const flowing = new FlowingText({ ...options, write: (part) => (whole += part) });
  flowing.push(text);
  flowing.end();
  return whole.split("\n").slice(0, -1);
}

export class FlowingText {
  readonly #options: FlowingTextOptions;
  /** Half of a character whose other half has not come yet. */
  #half = "";
  #word = "";
  #wordWidth = 0;
  /** Columns that are taken on this line; null where it has not begun. */
  #column: number | null = null;
  #isFirst = true;

  constructor(options: FlowingTextOptions) {
    this.#options = options;
  }

  push(chunk: string): void {
    const text = this.#half + chunk;
    this.#half = /[\ud800-\udbff]$/.exec(text)?.[0] ?? "";
    for (const character of text.slice(0, text.length - this.#half.length)) this.#take(character);
  }

  /** Whatever comes next begins on a line of its own. */
  end(): void {
    if (this.#half !== "") this.#take(this.#half);
    this.#half = "";
    this.#putWord();
    if (this.#column !== null) this.#endLine();
    this.#isFirst = true;
  }

  #take(character: string): void {
    if (character === "\n") {
      this.#putWord();
      this.#begin();
      this.#endLine();
    } else if (character === " " || character === "\t") {
      this.#putWord();
      this.#putBlank(character === " " ? " " : TAB);
    } else {
      const shown = printable(character, 1);
      this.#word += shown;
      this.#wordWidth += widthOf(shown);
      // Text without blanks, and there is such, is not held back for ever.
      if (this.#wordWidth >= this.#room()) this.#putWord();
    }
  }

  #putWord(): void {
    if (this.#word === "") return;
    const [word, width] = [this.#word, this.#wordWidth];
    [this.#word, this.#wordWidth] = ["", 0];
    if (this.#column !== null && this.#column + width > this.#room()) this.#endLine();
    this.#put(word);
  }

  /** What would only begin the next line is left out. */
  #putBlank(blank: string): void {
    if (this.#column !== null && this.#column + blank.length > this.#room()) this.#endLine();
    else this.#put(blank);
  }

  /** Begins lines where they are needed; a character is never cut. */
  #put(text: string): void {
    for (const character of text) {
      const width = widthOf(character);
      if (this.#column !== null && this.#column + width > this.#room()) this.#endLine();
      this.#begin();
      this.#options.write(character);
      this.#column = (this.#column ?? 0) + width;
    }
  }

  #begin(): void {
    if (this.#column !== null) return;
    const { mark, firstMark = mark, style = (text) => text, columns, write } = this.#options;
    if (columns() !== null) write(style(this.#isFirst ? firstMark : mark));
    this.#isFirst = false;
    this.#column = 0;
  }

  #endLine(): void {
    this.#options.write("\n");
    this.#column = null;
  }

  #room(): number {
    const columns = this.#options.columns();
    // The last column stays free: where a terminal goes to the next line by itself differs.
    return columns === null ? Number.POSITIVE_INFINITY : Math.max(columns - this.#options.mark.length - 1, 2);
  }
}

/** INVARIANT: never less than what a terminal takes for it: everything that is wider than one column lies above. */
function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += (character.codePointAt(0) ?? 0) < 0x1100 ? 1 : 2;
  return width;
}
