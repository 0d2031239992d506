/**
 * Shows untrusted text on a terminal while it arrives. Each line begins with a mark and is narrower than the screen, so
 * that nothing that a model says or a tool returns can pass for a line of FemtoClaw.
 */
import { printable } from "@femtoclaw/protocol";

const TAB = "    ";

export interface FlowingTextOptions {
  /** Current columns of the screen; null if there is no screen, and then lines are neither marked nor wrapped. */
  columns(): number | null;
  /** Stands before every line. The first line may have a different mark of the same width. */
  readonly mark: string;
  readonly firstMark?: string;
  /** Adds a style to the mark. */
  style?(mark: string): string;
  write(text: string): void;
}

/** The lines of a complete text. */
export function flowingLines(text: string, options: Omit<FlowingTextOptions, "write">): string[] {
  let whole = "";
  const flowing = new FlowingText({ ...options, write: (part) => (whole += part) });
  flowing.push(text);
  flowing.end();
  return whole.split("\n").slice(0, -1);
}

export class FlowingText {
  readonly #options: FlowingTextOptions;
  /** The first half of a surrogate pair whose other half has not arrived yet. */
  #half = "";
  #word = "";
  #wordWidth = 0;
  /** Columns used on the current line; null if the line has not begun. */
  #column: number | null = null;
  #isFirst = true;
  /** What is to be written at once. */
  #out = "";

  constructor(options: FlowingTextOptions) {
    this.#options = options;
  }

  push(chunk: string): void {
    const text = this.#half + chunk;
    this.#half = /[\ud800-\udbff]$/.exec(text)?.[0] ?? "";
    for (const character of text.slice(0, text.length - this.#half.length)) this.#take(character);
    this.#flush();
  }

  /** Ends the text, so that whatever follows begins on a new line. */
  end(): void {
    if (this.#half !== "") this.#take(this.#half);
    this.#half = "";
    this.#putWord();
    if (this.#column !== null) this.#endLine();
    this.#isFirst = true;
    this.#flush();
  }

  #flush(): void {
    if (this.#out !== "") this.#options.write(this.#out);
    this.#out = "";
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
      // Text without blanks must not be held back for ever.
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

  /** A blank that would begin the next line is left out. */
  #putBlank(blank: string): void {
    if (this.#column !== null && this.#column + blank.length > this.#room()) this.#endLine();
    else this.#put(blank);
  }

  /** Wraps lines as needed, but never splits a character. */
  #put(text: string): void {
    for (const character of text) {
      const width = widthOf(character);
      if (this.#column !== null && this.#column + width > this.#room()) this.#endLine();
      this.#begin();
      this.#out += character;
      this.#column = (this.#column ?? 0) + width;
    }
  }

  #begin(): void {
    if (this.#column !== null) return;
    const { mark, firstMark = mark, style = (text) => text, columns } = this.#options;
    if (columns() !== null) this.#out += style(this.#isFirst ? firstMark : mark);
    this.#isFirst = false;
    this.#column = 0;
  }

  #endLine(): void {
    this.#out += "\n";
    this.#column = null;
  }

  #room(): number {
    const columns = this.#options.columns();
    // The last column stays free, because terminals differ in when they wrap after it.
    return columns === null ? Number.POSITIVE_INFINITY : Math.max(columns - this.#options.mark.length - 1, 2);
  }
}

/**
 * INVARIANT: never less than the width that a terminal uses: every character wider than one column lies above this code
 * point.
 */
function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += (character.codePointAt(0) ?? 0) < 0x1100 ? 1 : 2;
  return width;
}
