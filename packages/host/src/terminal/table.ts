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
