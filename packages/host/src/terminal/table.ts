/** Aligned columns of text, which may contain colour codes and double-width characters. */
import { cells, prose } from "./prose.ts";

/** Columns are as wide as their widest cell; the last one is not padded. */
export function table(rows: readonly (readonly string[])[], indent = ""): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cells(cell));
    });
  }
  return rows.map((row) => {
    const padded = row.map((cell, column) =>
      column === row.length - 1 ? cell : cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - cells(cell))),
    );
    return `${indent}${padded.join("  ")}`.trimEnd();
  });
}

/** Like `table`, for rows that end in words of our own, which continue below themselves on a terminal. */
export function wordTable(rows: readonly (readonly string[])[], columns: number | null): string[] {
  const heads = table(rows.map((row) => [...row.slice(0, -1), "|"]));
  return table(rows).map((line, index) => prose(line, columns, cells(heads[index] ?? "") - 1));
}

/** How a table that is too wide for its terminal gives way. */
export interface GivingWay {
  /** Columns of the terminal; null if there is none, and nothing has to give way. */
  readonly columns: number | null;
  /** The columns that can be missing, the least useful first. */
  readonly leaveOut: readonly number[];
  /** The column that is cut if that was not enough; its cells have no colours. */
  readonly cut: number;
}

/** LIMIT: least width in cells of a column that is cut. */
const CUT_MIN = 8;

/** Like `table`, with no more columns than fit the terminal: a terminal would wrap each row. */
export function fittingTable(rows: readonly (readonly string[])[], { columns, leaveOut, cut }: GivingWay): string[] {
  for (let left = 0; ; left += 1) {
    const missing = leaveOut.slice(0, left);
    const without = (row: readonly string[]): string[] => row.filter((_, column) => !missing.includes(column));
    const lines = table(rows.map(without));
    const excess = Math.max(0, ...lines.map(cells)) - (columns ?? Number.POSITIVE_INFINITY);
    if (excess <= 0) return lines;
    if (left < leaveOut.length) continue;
    const width = Math.max(CUT_MIN, Math.max(...rows.map((row) => cells(row[cut] ?? ""))) - excess);
    return table(
      rows.map((row) => without(row.map((cell, column) => (column === cut ? shortened(cell, width) : cell)))),
    );
  }
}

/** A text that is too wide ends with a sign that says so. */
export function shortened(text: string, width: number): string {
  return cells(text) <= width ? text : `${wrapped(text, width - 1)[0] ?? ""}…`;
}

/** LIMIT: least width of a last column in cells. On a narrower terminal its lines wrap by themselves. */
const CELLS_MIN = 20;

/**
 * Like `table`, for two columns of which the second may be long and come from somebody else. INVARIANT: I8: the second
 * column is wrapped within itself. Otherwise the terminal would wrap it to the left edge, where its author could make
 * it look like another row.
 */
export function hangingTable(
  rows: readonly (readonly [name: string, text: string])[],
  indent: string,
  columns: number | null,
): string[] {
  if (columns === null) return table(rows, indent);
  const names = Math.max(...rows.map(([name]) => cells(name)));
  const room = Math.max(CELLS_MIN, columns - indent.length - names - 2);
  const hanging = rows.flatMap(([name, text]) =>
    folded(text, room).map((piece, index) => [index === 0 ? name : "", piece]),
  );
  return table(hanging, indent);
}

/**
 * Like `wrapped`, between words where there are some. The pieces together are the text, and a piece ends before its room
 * does only behind a single blank, so several blanks are never mistaken for one.
 */
function folded(text: string, room: number): string[] {
  const pieces: string[] = [];
  let rest = text;
  while (rest !== "") {
    const [piece = ""] = wrapped(rest.slice(0, 2 * room), room);
    const words = piece === rest ? piece : (WORDS.exec(piece)?.[0] ?? piece);
    pieces.push(words);
    rest = rest.slice(words.length);
  }
  return pieces;
}

/** Up to the last single blank between two words. */
const WORDS = /^.*[^ ] (?=[^ ])/s;

/** Pieces of at most so many cells, in whatever script they are. */
function wrapped(text: string, room: number): string[] {
  const pieces = [""];
  let left = room;
  for (const character of text) {
    const width = /[\x20-\x7e]/.test(character) ? 1 : 2;
    if (width > left) {
      pieces.push("");
      left = room;
    }
    pieces.push(`${pieces.pop() ?? ""}${character}`);
    left -= width;
  }
  return pieces;
}
