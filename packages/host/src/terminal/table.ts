/** Aligned columns of text that may hold colour codes and characters of two cells. */
import { stripVTControlCharacters } from "node:util";

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

/** LIMIT: cells that a last column has at least; who has a terminal with fewer sees lines that go on by themselves. */
const CELLS_MIN = 20;

/**
 * The same for two columns of which the second one is long and somebody else's. INVARIANT: I8: it goes on below itself: else
 * a terminal would go on at its left edge, where whoever wrote the text could have it look like another row.
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
    wrapped(text, room).map((piece, index) => [index === 0 ? name : "", piece]),
  );
  return table(hanging, indent);
}

/** Pieces of so many cells at the most, whatever script they are in. */
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

/** A measure that suits the texts which FemtoClaw prints itself; it does not know every script. */
function cells(text: string): number {
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
