/** Finds the known name that a misspelt one most likely stands for. */

/** LIMIT: characters compared; a longer key is not a misspelt one of ours, and the work grows with the square. */
const COMPARED_CHARS_MAX = 64;

export function nearestName(written: string, known: readonly string[]): string | undefined {
  if (written.length > COMPARED_CHARS_MAX) return undefined;
  let nearest: string | undefined;
  let nearestEdits = Math.max(1, Math.floor(written.length / 3)) + 1;
  const plain = written.toLowerCase().replaceAll("-", "_");
  for (const name of known) {
    const edits = isBeginning(plain, name) ? 1 : editDistance(plain, name);
    if (edits < nearestEdits) [nearest, nearestEdits] = [name, edits];
  }
  return nearest;
}

/** Such as `timeout` for `timeout_ms`. One or two letters begin too many names to mean anything. */
function isBeginning(written: string, name: string): boolean {
  return written.length > 2 && name.startsWith(written);
}

/** Insertions, deletions, replacements and swaps of neighbours that lead from one text to the other. */
function editDistance(from: string, to: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current[column] = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
        swapped ? (beforePrevious[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    [beforePrevious, previous] = [previous, current];
  }
  return previous[to.length] ?? 0;
}
