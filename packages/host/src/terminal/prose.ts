/** Words for a person on a terminal: a line that is too wide continues below itself, and no word is torn apart. */
import { stripVTControlCharacters } from "node:util";

/** LIMIT: least room in cells for words. A narrower terminal wraps the text by itself. */
const ROOM_MIN = 20;
/** How much further a line is indented where it continues. */
const FURTHER = 2;

/** A word with the blanks before it. What stands in backquotes is one word, so that a command can be copied. */
const WORD = /(\s*)((?:`[^`]*`|\S)+)/g;

/**
 * The text in lines that fit. `indent` is that of continued lines; without it, it follows from where each line begins.
 * A word that is wider than a line, such as a path, stays whole: the terminal wraps it, and it can still be copied.
 */
export function prose(text: string, columns: number | null, indent?: number): string {
  if (columns === null) return text;
  return text
    .split("\n")
    .map((line) => flowed(line, columns, indent ?? beginning(line) + FURTHER))
    .join("\n");
}

const beginning = (line: string): number => stripVTControlCharacters(line).search(/\S|$/);

function flowed(line: string, columns: number, indent: number): string {
  const room = columns - indent;
  if (room < ROOM_MIN || cells(line) <= columns) return line;
  let shown = "";
  let column = 0;
  for (const [, blanks = "", word = ""] of line.matchAll(WORD)) {
    const width = cells(word);
    const isWide = column > 0 && column + blanks.length + width > columns;
    if (isWide && width <= room) {
      shown += `\n${" ".repeat(indent)}${word}`;
      column = indent + width;
    } else {
      shown += blanks + word;
      column += blanks.length + width;
      // The terminal has wrapped a word that is too wide.
      if (column > columns) column %= columns;
    }
  }
  return shown;
}

/** Width in cells. Good enough for the texts that FemtoClaw prints itself; does not know every script. */
export function cells(text: string): number {
  let width = 0;
  for (const character of stripVTControlCharacters(text)) {
    width += /\p{Extended_Pictographic}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60]/u.test(
      character,
    )
      ? 2
      : 1;
  }
  return width;
}
