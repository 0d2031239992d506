/**
 * Lets through only what draws on a screen. A program's output can neither use the clipboard, set a title, ask a
 * question that the watching terminal would answer by typing, nor set a mode that changes what its keyboard sends.
 */

type State = "text" | "escape" | "charset" | "control" | "string" | "stringEscape";

/** Final characters of control sequences that move the cursor, erase, scroll, insert, delete or colour. */
const DRAWING = new Set("ABCDEFGHIJKLMPSTXZ@`abdefmrsu");
/** Private modes that change only what is seen: wrapping, the cursor and its blinking, the alternate screen. */
const SEEN_MODES = new Set(["7", "12", "25", "47", "1047", "1048", "1049", "2026"]);
/** Characters that may follow an escape directly: save and restore the cursor, line feeds. Tab stops would stay. */
const DIRECT = new Set("78DEM");
/** LIMIT: characters of one control sequence; real ones have a few dozen. */
const SEQUENCE_CHARS = 128;

/** INVARIANT: I8: a program in a sandbox can tell the terminal of the person who watches it only what to draw. */
export class ScreenFilter {
  #state: State = "text";
  #sequence = "";

  /** May be called with any part of the output; a sequence can begin in one part and end in another. */
  pass(text: string): string {
    let drawn = "";
    for (const character of text) drawn += this.#take(character);
    return drawn;
  }

  #take(character: string): string {
    switch (this.#state) {
      case "text":
        return this.#text(character);
      case "escape":
        return this.#escape(character);
      case "charset":
        this.#state = "text";
        // Line drawing and ASCII. No terminal in use needs other sets.
        return character === "0" || character === "B" ? `\u001b${this.#sequence}${character}` : "";
      case "control":
        return this.#control(character);
      case "string":
        this.#string(character);
        return "";
      case "stringEscape":
        if (character === "\\") this.#state = "text";
        else return this.#escape(character);
        return "";
    }
  }

  #text(character: string): string {
    if (character === "\u001b") {
      this.#state = "escape";
      return "";
    }
    if ("\r\n\t\b\u000b\u000c\u000e\u000f".includes(character)) return character;
    // Among the dropped characters are the bell, the enquiry, and the one-byte forms of escape sequences.
    return /[\u0000-\u001f\u007f-\u009f]/.test(character) ? "" : character;
  }

  #escape(character: string): string {
    this.#state = "text";
    if (character === "[") {
      this.#state = "control";
      this.#sequence = "";
    } else if (character === "(" || character === ")") {
      this.#state = "charset";
      this.#sequence = character;
    } else if ("]PX^_".includes(character)) this.#state = "string";
    else if (character === "\u001b") this.#state = "escape";
    else if (DIRECT.has(character)) return `\u001b${character}`;
    return "";
  }

  #control(character: string): string {
    if (character === "\u001b") {
      this.#state = "escape";
      return "";
    }
    const isInside = character >= " " && character <= "?";
    if (isInside && this.#sequence.length < SEQUENCE_CHARS) {
      this.#sequence += character;
      return "";
    }
    this.#state = "text";
    return isInside ? "" : drawnSequence(this.#sequence, character);
  }

  /** A string ends with a bell, with an escape and a backslash, or when it is cancelled. */
  #string(character: string): void {
    if (character === "\u0007" || character === "\u0018" || character === "\u001a") this.#state = "text";
    else if (character === "\u001b") this.#state = "stringEscape";
  }
}

/**
 * Numbers of at most four digits. No terminal has more lines, and repeating a character two thousand million times
 * draws nothing useful.
 */
const NUMBERS = /^[0-9]{0,4}(?:[;:][0-9]{0,4})*$/;
/** With this parameter, erasing would delete the lines that were scrolled out of sight, which other programs wrote. */
const ERASES_BEHIND = /(?:^|[;:])0*3(?:$|[;:])/;

function drawnSequence(parameters: string, final: string): string {
  if (final === "J" && ERASES_BEHIND.test(parameters)) return "";
  if (NUMBERS.test(parameters) && DRAWING.has(final)) return `\u001b[${parameters}${final}`;
  // Insert mode is the only public mode that affects nothing but drawing.
  if ((final === "h" || final === "l") && parameters === "4") return `\u001b[4${final}`;
  const modes =
    /^\?([0-9;]+)$/
      .exec(parameters)?.[1]
      ?.split(";")
      .filter((mode) => SEEN_MODES.has(mode)) ?? [];
  if (modes.length > 0 && (final === "h" || final === "l")) return `\u001b[?${modes.join(";")}${final}`;
  return "";
}

/** Restores the screen to what a shell expects, with the cursor below everything that was drawn. */
export const SCREEN_RESTORED =
  "\u001b[?2026l\u001b[?1049l\u001b[?25h\u001b[?12l\u001b[?7h\u001b[4l\u001b[r\u001b[0m\u001b(B\u000f\u001b[999;1H\r\n";
